"""What Azure can be asked for."""

from __future__ import annotations

import pytest

from coflows_jupyter.deploy.aci.limits import GPU_REGIONS, GPU_SIZES, Offer, Wanted, objections, remarks
from coflows_jupyter.deploy.aci.regions import REGIONS

PLAIN = Offer(8, 64)


def codes(wanted: Wanted, *offers: Offer) -> list[str]:
    """Return what speaks against a container."""
    return [objection.code for objection in objections(wanted, offers or None)]


@pytest.mark.parametrize(
    ("cores", "memory", "expected"),
    [
        (1, 1, []),
        (31, 240, []),
        (0.5, 0.5, ["cores", "memory"]),
        (32, 4, ["cores"]),
        (4, 241, ["memory"]),
    ],
)
def test_sizes_without_asking(cores: float, memory: float, expected: list[str]) -> None:
    """Where Azure could not be asked, its documented limits are held against the wish."""
    assert codes(Wanted("uksouth", cores, memory)) == expected


def test_sizes_that_the_region_says() -> None:
    """What the region itself says counts, in both directions; rows with GPUs say nothing of those without."""
    offers = (PLAIN, Offer(2, 4), Offer(24, 448, "V100", 4))
    (found,) = objections(Wanted("uksouth", 9, 64), offers)
    assert found.message == "9 cores are too many: uksouth offers at most 8"
    assert found.hint == 'write "Cores": 8'
    assert codes(Wanted("uksouth", 40, 300), Offer(48, 384)) == []


def test_large_containers_are_remarked_on() -> None:
    """More than four cores are allowed and not always there."""
    assert [found.code for found in remarks(Wanted("uksouth", 8, 4), None)] == ["large"]
    assert not list(remarks(Wanted("uksouth", 4, 16), None))


@pytest.mark.parametrize(
    ("sku", "since"), [("K80", "31 August 2023"), ("P100", "31 August 2023"), ("V100", "14 July 2025")]
)
def test_retired_gpus(sku: str, since: str) -> None:
    """A retired GPU is refused with the day and what to do instead, unless the region offers it."""
    wanted = Wanted("eastus", 4, 16, sku, 1)
    (found,) = objections(wanted, None)
    assert (found.code, found.forcible) == ("gpu-retired", True)
    assert since in found.message
    assert "AKS" in found.hint
    assert list(objections(wanted, (PLAIN, Offer(6, 56, sku, 1)))) == []
    (found,) = objections(wanted, (PLAIN,))
    assert found.message.endswith("eastus offers no GPU")


@pytest.mark.parametrize("sku", GPU_REGIONS)
@pytest.mark.parametrize("region", sorted(REGIONS))
def test_regions_of_gpus(sku: str, region: str) -> None:
    """The table of the tutorial: a region that never had the GPU is told apart."""
    assert ("gpu-region" in codes(Wanted(region, 1, 1, sku, 1))) == (region not in GPU_REGIONS[sku])


@pytest.mark.parametrize(("sku", "count"), [(sku, count) for sku, sizes in GPU_SIZES.items() for count in sizes])
def test_sizes_beside_gpus(sku: str, count: int) -> None:
    """The table of the tutorial: the most cores and memory for each number of GPUs."""
    cores, memory = GPU_SIZES[sku][count]
    assert codes(Wanted("eastus", cores, memory, sku, count)) == ["gpu-retired"]
    assert codes(Wanted("eastus", cores + 1, memory + 1, sku, count)) == ["gpu-retired", "cores", "memory"]
