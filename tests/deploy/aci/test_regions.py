"""Names of regions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.deploy.aci.regions import REGIONS, find, nearest

SEED = set(
    """
eastasia southeastasia centralus eastus eastus2 westus northcentralus southcentralus northeurope westeurope japanwest
japaneast brazilsouth australiaeast australiasoutheast southindia centralindia westindia canadacentral canadaeast
uksouth ukwest westcentralus westus2 koreacentral koreasouth francecentral francesouth australiacentral
australiacentral2 uaecentral uaenorth southafricanorth southafricawest switzerlandnorth switzerlandwest germanynorth
germanywestcentral norwaywest norwayeast
""".split()  # noqa: SIM905 - as the table has them
)


def test_the_tutorials_table_is_known() -> None:
    """All forty names of the tutorial mean themselves."""
    assert len(SEED) == 40
    assert {find(name) for name in SEED} == SEED


@given(st.sampled_from(sorted(REGIONS)), st.data())
def test_any_spelling_is_understood(name: str, data: st.DataObject) -> None:
    """Capitals, blanks, hyphens, underscores and the order of the words make no difference."""
    words = REGIONS[name].split()
    if data.draw(st.booleans()):
        words = data.draw(st.permutations(words))
        glue = data.draw(st.sampled_from([" ", "-", "_", "  "]))
    else:
        glue = data.draw(st.sampled_from(["", " ", "-", "_"]))
    style = data.draw(st.sampled_from(["lower", "upper", "title", "strip"]))
    assert find(getattr(glue.join(words), style)()) == name


@given(st.text())
def test_whatever_is_written_finds_a_region_or_none(text: str) -> None:
    """There is never an error, and always a name to propose."""
    assert find(text) in {"", *REGIONS}
    assert nearest(text)


def test_near_names_are_proposed() -> None:
    """What is almost a name leads to it."""
    assert find("UKSoth") == ""
    assert nearest("UKSoth")[0] == "uksouth"
    assert nearest("west urope")[0] == "westeurope"
