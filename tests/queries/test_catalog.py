"""The catalog: doc comments and signatures put together."""

from __future__ import annotations

import msgspec

from coflows_jupyter.queries.catalog import Catalog, FunctionEntry, QueryEntry, make_entry
from coflows_jupyter.runtimes.protocol import Parameter, Signature
from coflows_jupyter.runtimes.signature import describe
from coflows_jupyter.workflow.sources import SourceUnit


def merged(text: str, *signatures: Signature) -> tuple[QueryEntry, list[str]]:
    """Return the entry of a source text, and every finding as text."""
    entry, found = make_entry(SourceUnit("query", "q", "/w/q.py", "python", text), signatures)
    return entry, list(map(str, found))


def price(amount: int, rate=1.5, *, day="today"):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D417  (as users write)
    """Price an amount.

    Args:
        amount: from the docstring
        day: from the docstring
    """
    return amount * rate, day


def test_source_and_comment_complete_each_other() -> None:
    """The source's type and the comment's text win; what only one of them says is kept."""
    entry, found = merged(
        '### <api name="price"><returns>money</returns>'
        '<param name="amount" type="string">from the comment</param>'
        '<param name="rate" type="float"/></api>',
        describe(price),
    )
    amount, rate, day = entry.functions["price"].signature.parameters
    assert not found
    assert (amount.annotation, amount.schema, amount.description) == ("int", {"type": "integer"}, "from the comment")
    assert (rate.annotation, rate.schema, rate.default) == ("float", {"type": "number"}, "1.5")
    assert (day.annotation, day.schema, day.description) == ("", {}, "from the docstring")
    assert entry.functions["price"].description == "Price an amount."
    assert entry.functions["price"].returns == "money"


def test_without_comments() -> None:
    """A file that documents nothing has open functions with the defaults of the Workflow."""
    entry, found = merged("", Signature("f"))
    assert not found
    assert entry.functions == {"f": FunctionEntry(Signature("f"))}
    assert (entry.info.title, entry.info.version) == ("", "0.0.1")


def test_word_that_is_no_type() -> None:
    """A type that we don't know is shown as it is written, and accepts anything."""
    entry, _ = merged('### <api name="f"><param name="x" type="DataFrame"/></api>', Signature("f", (Parameter("x"),)))
    parameter = entry.functions["f"].signature.parameters[0]
    assert (parameter.annotation, parameter.schema) == ("DataFrame", {})


def test_bad_timeout_leaves_the_function_callable() -> None:
    """A time that can't be read is an error of the documentation with its place, and closes nothing."""
    entry, found = merged('\n### <api name="f" timeout="bad"/>', Signature("f"))
    assert (entry.functions["f"].timeout, entry.functions["f"].closed) == (0, False)
    assert len(found) == 1
    assert found[0].startswith("/w/q.py:2:5: error: timeout: 'bad' is not a duration")


def test_comments_for_no_function() -> None:
    """The finding has the comment's line, and names the function that is meant or those that there are."""
    text = '### <api name="Prize"/>\n### <api name="zzz"/>'
    _, found = merged(text, Signature("Price"), Signature("Add"))
    assert found == [
        "/w/q.py:1: warning: there is no function Prize for this documentation (did you mean Price?)",
        "/w/q.py:2: warning: there is no function zzz for this documentation (the functions are: Price, Add)",
    ]
    _, found = merged('### <api name="f"/>')
    assert "none" in found[0]


def test_catalogs_cross_processes() -> None:
    """A catalog is bytes on its way from a host to the server, and arrives equal."""
    text = '### <api name="price"><permissions><group id="Public" permission="view"/></permissions></api>'
    entry, _ = merged(text, describe(price))
    catalog = Catalog("b", {entry.id: entry})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(catalog), type=Catalog) == catalog
