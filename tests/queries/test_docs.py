"""Doc comments: what they say, and that what can't be read closes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.access.permissions import Grant
from coflows_jupyter.queries.catalog import make_entry
from coflows_jupyter.queries.docs import parse_docs
from coflows_jupyter.runtimes.protocol import Parameter, Signature
from coflows_jupyter.workflow.sources import SourceUnit

GOOD = """
### <info version="1.2.3">
###     <title>Prices</title>
###     <description>All
###        of them</description>
###     <contact name="A" url="u" email="e"/>
###     <license name="MIT"/>
### </info>

### <api name="f" timeout="500ms">
###     <description>Does &amp; returns</description>
###     <returns>a number</returns>
###     <param name="x" type="int">how <b>many</b></param>
###     <permissions>
###         <group id="wid" permission="Read"/>
###         <group id="Public" permission="view" cost="2"/>
###     </permissions>
### </api>
def f(x):
    return x
"""


def test_everything_is_read() -> None:
    """All elements of the grammar arrive."""
    docs = parse_docs(GOOD, "q.py", "python")
    assert docs.ok
    assert not docs.diagnostics
    assert (docs.info.title, docs.info.version, docs.info.description) == ("Prices", "1.2.3", "All of them")
    assert (docs.info.contact_name, docs.info.license_name) == ("A", "MIT")
    f = docs.functions["f"]
    assert (f.description, f.returns, f.timeout, f.closed) == ("Does & returns", "a number", 0.5, False)
    assert f.params == {"x": ("int", "how many")}
    assert f.grants == (Grant("wid", 1), Grant("Public", 0))
    assert f.line == 10


@pytest.mark.parametrize(("language", "marker"), [("csharp", "///"), ("scala", "///"), ("vb", "'''")])
def test_markers_of_other_languages(language: str, marker: str) -> None:
    """Each language has its own marker for the same grammar."""
    docs = parse_docs(GOOD.replace("###", marker), "q", language)
    assert docs.functions["f"].grants is not None


@pytest.mark.parametrize("text", ["", "x = 1", "### Section A & B <3 ###", "'''<api name=\"f\">'''"])
def test_no_documentation(text: str) -> None:
    """Ordinary comments and strings document nothing, and close nothing."""
    docs = parse_docs(text, "q.py", "python")
    assert docs.ok
    assert not docs.functions
    assert not docs.diagnostics


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('### <api name="f">\ndef f(): ...', 1),
        ('x = 1\n### <api name="f">\n### <returns>a < b</returns></api>', 3),
        ('### <api name="f"></api>\n### <description>A & B</description>', 2),
        ('### <!DOCTYPE a [<!ENTITY b "c">]>\n### <api name="f"/>', 1),
        ('### <api name="f" name="g"/>', 1),
    ],
)
def test_malformed_closes(text: str, line: int) -> None:
    """XML that does not parse closes the whole file, and the finding has its place."""
    docs = parse_docs(text, "q.py", "python")
    assert not docs.ok
    assert [(d.file, d.line, d.severity, d.code) for d in docs.diagnostics] == [("q.py", line, "error", "doc-comment")]


@pytest.mark.parametrize(
    "group",
    [
        '<group id="g" permission="reed"/>',
        '<group id="g"/>',
        '<group permission="read"/>',
        '<grupp id="g" permission="read"/>',
    ],
)
def test_unreadable_permission_closes_the_function(group: str) -> None:
    """A permission that can't be read closes its function, and no other."""
    text = f'### <api name="f"><permissions>{group}</permissions></api>\n### <api name="g"/>'
    docs = parse_docs(text, "q.py", "python")
    assert docs.functions["f"].closed
    assert not docs.functions["g"].closed
    assert docs.diagnostics[0].line == 1


def test_documented_twice_closes() -> None:
    """Two comments for one function contradict each other until one is gone."""
    text = (
        '### <api name="f"/>\n### <api name="f"><permissions><group id="Public" permission="view"/></permissions></api>'
    )
    docs = parse_docs(text, "q.py", "python")
    assert docs.functions["f"].closed


def test_denied_names_nobody() -> None:
    """The original let everybody pass with ``denied``; here the word means what it says."""
    text = '### <api name="f"><permissions><group id="Public" permission="denied"/></permissions></api>'
    assert parse_docs(text, "q.py", "python").functions["f"].grants == (Grant("Public", -1),)


def test_bad_timeout_is_a_finding() -> None:
    """A time that can't be read leaves the Workflow's own in force."""
    docs = parse_docs('### <api name="f" timeout="soon"/>', "q.py", "python")
    assert docs.functions["f"].timeout == 0
    assert "timeout" in docs.diagnostics[0].message


@given(st.text(alphabet="<>/&#apin \"'=\nx"))
def test_any_text_is_read_or_closed(text: str) -> None:
    """No comment raises; one that is no XML is never open."""
    docs = parse_docs("\n".join("###" + line for line in text.split("\n")), "q.py", "python")
    assert docs.ok or docs.diagnostics


def test_entry_merges_comment_and_signature() -> None:
    """The comment's type and text reach the parameter, its permissions the function."""
    unit = SourceUnit("query", "q", "q.py", "python", GOOD)
    signatures = [Signature(name, (Parameter("x"),), doc="First line.\n\nMore.") for name in ("f", "g")]
    merged, found = make_entry(unit, signatures)
    assert not found
    parameter = merged.functions["f"].signature.parameters[0]
    assert (parameter.annotation, parameter.description, parameter.schema) == ("int", "how many", {"type": "integer"})
    assert merged.functions["f"].timeout == 0.5
    assert merged.functions["g"].grants is None
    assert merged.functions["g"].description == "First line."


def test_entry_of_an_unreadable_file_is_closed() -> None:
    """Every function of a file whose comments don't parse is closed, documented or not."""
    unit = SourceUnit("query", "q", "q.py", "python", '### <api name="f">')
    merged, found = make_entry(unit, [Signature("f"), Signature("g")])
    assert all(function.closed for function in merged.functions.values())
    assert found


def test_documentation_of_nothing_is_a_warning() -> None:
    """A comment for a function that does not exist hints at the one that may be meant."""
    unit = SourceUnit("query", "q", "q.py", "python", '### <api name="Ad"/>')
    _, found = make_entry(unit, [Signature("Add")])
    assert [(d.severity, d.line, d.hint) for d in found] == [("warning", 1, "did you mean Add?")]


def test_ordinary_comments_need_not_be_xml() -> None:
    """A banner between elements, or a heading in a docstring, does not disturb the documentation around it."""
    text = '### Load & clean <3\n### <api name="f"/>\ndef f():\n    """Do.\n\n    ### A < B & C\n    """\n### x & y\n'
    docs = parse_docs(text, "q.py", "python")
    assert docs.ok
    assert list(docs.functions) == ["f"]
    assert not parse_docs('### <api name="f">\n### a & b\n### </api>', "q.py", "python").ok


@pytest.mark.parametrize(
    "text",
    [
        '<api><permissions><group id="g" permission="write"/></permissions></api>',
        '<api name="f"/><permissions><group id="g" permission="write"/></permissions>',
        '<Api name="f"><permissions><group id="g" permission="write"/></permissions></Api>',
        '<info><group id="g" permission="write"/></info>',
    ],
)
def test_permissions_of_no_function_close_the_file(text: str) -> None:
    """Permissions that are written for a function nobody can tell may be meant for any."""
    docs = parse_docs(f"### {text}", "q.py", "python")
    assert not docs.ok
    assert {d.line for d in docs.diagnostics} == {1}


@pytest.mark.parametrize(
    "inside",
    [
        '<permission><group id="g" permission="write"/></permission>',
        '<permisions><group id="g" permission="write"/></permisions>',
        '<group id="g" permission="write"/>',
        '<description>text <permissions><group id="g" permission="write"/></permissions></description>',
        "<permissions/>",
    ],
)
def test_misplaced_permissions_close_the_function(inside: str) -> None:
    """A misspelt or misplaced element that may have been meant to restrict a function closes it."""
    docs = parse_docs(f'### <api name="f">{inside}</api><api name="g"/>', "q.py", "python")
    assert docs.ok
    assert docs.functions["f"].closed
    assert not docs.functions["g"].closed


@pytest.mark.parametrize(
    "text",
    [
        "### " + "<a>" * 100_000,
        '### <api name="f">\ud800</api>',
        '### <api name="f">\0</api>',
        "### <api name='f'>&b;</api>",
        "### <?xml version='1.0'?><api/>",
    ],
)
def test_hostile_text_closes(text: str) -> None:
    """Nothing that a comment may hold ends the host or stays unnoticed."""
    docs = parse_docs(text, "q.py", "python")
    assert not docs.ok
    assert docs.diagnostics[0].line == 1


def test_places() -> None:
    """A finding points at the line and column of the source, with the marker and the indentation counted."""
    docs = parse_docs(
        'x = 1\n\n  ### text\n  ###   <api name="f"><description>a & b</description></api>', "q.py", "python"
    )
    assert (docs.diagnostics[0].line, docs.diagnostics[0].column) == (4, 39)
