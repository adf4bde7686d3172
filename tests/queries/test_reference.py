"""The guide's tables of result types."""

from __future__ import annotations

import pytest

from coflows_jupyter.jsonform import MAPPING
from coflows_jupyter.queries import reference
from coflows_jupyter.queries.results import FORMS, MEDIA_TYPES
from tests.conftest import ROOT
from tests.doors.golden import rows


def test_the_guide_says_what_the_code_does() -> None:
    """The tables in the guide are those of the code; the command in their mark writes them."""
    text = (ROOT / "docs" / "queries.md").read_text()
    assert reference.update(text) == text, "run: python -m coflows_jupyter.queries.reference docs/queries.md"


def test_every_type_is_named() -> None:
    """Each type that has a form of its own is in the tables."""
    tables = reference.tables()
    assert all(name.removeprefix("builtins.") in tables for form in MAPPING for name in form.types)


@pytest.mark.parametrize(
    ("function", "place"), [("Number", 0), ("Frame", 1), ("Polars", 1), ("Chart", 2), ("Altair", 3), ("Lines", 4)]
)
def test_forms_are_what_results_come_as(function: str, place: int) -> None:
    """The forms that the tables promise are those that every door gives, and the first is the one unasked."""
    found = [row for row in rows() if row.function == function and row.status == 200]
    promised = FORMS[place][1].split(", ")
    assert found[0].content_type.partition(";")[0] == promised[0]
    assert {MEDIA_TYPES[row.suffix] for row in found if row.suffix} == set(promised)


def test_a_document_without_marks_is_left_alone() -> None:
    """Nothing is written where there is no place for it."""
    with pytest.raises(ValueError, match="made by"):
        reference.update("# Queries\n")
