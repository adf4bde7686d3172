"""The sample's Queries in the languages of .NET."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.flows import Flow


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """The sample as it is, but for its Agents."""
    folder: Path = tmp_path_factory.mktemp("sample") / "mnt"
    shutil.copytree(ROOT / "mnt", folder, ignore=shutil.ignore_patterns("*.db*", "__pycache__", "Agents"))
    package = folder / "package.json"
    package.write_text(package.read_text().replace('{ "Name": "market.py", "Content": "Agents/market.py" }', ""))
    made = Flow(folder)
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


def test_portfolio_in_four_languages(sample: Flow) -> None:
    """C# prices what Python holds with rates of F#'s, Python asks C#, and all agree."""
    rows = sample.json("options", "protection", [0.9, 6])
    ladder = sample.json("hedging", "ladder", [rows[0]["Asset"], 6])

    assert all(0 <= row["Put"] < row["Price"] / 2 for row in rows)
    assert any(row["Put"] for row in rows)
    assert sample.json("options", "cost", [0.9, 6]) == pytest.approx(sum(row["Cost"] for row in rows), abs=0.01)
    assert next(row["put"] for row in ladder if row["floor"] == 0.9) == rows[0]["Put"]
    assert sample.answer("options", "protection", "", accept="text/csv").startswith(b"Asset,Units,Price,")


def test_bonds_and_loans(sample: Flow) -> None:
    """A bond's yield lies between the rates of its years, and a loan is paid back in the end."""
    bond = sample.json("bonds", "bond", [0.03, 5])
    curve = sample.json("bonds", "curve")
    payments = sample.json("loans", "payments", [1000, 4])

    assert curve["1"] < bond["Yield"] <= curve["5"]
    assert 4 < bond["Duration"] < 5
    assert [row["year"] for row in payments] == [1, 2, 3, 4]
    assert payments[-1]["debt"] == pytest.approx(0, abs=0.01)
