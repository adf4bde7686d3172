"""Makes the source of a Query out of a cell, and a cell out of a Query."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from coflows_jupyter.errors import ArgumentsError, BuildError
from coflows_jupyter.queries.docs import parse_docs
from coflows_jupyter.runtimes.docstring import parameter_texts

MARK = "# Written by %%query in a notebook; running that cell again writes it again.\n"

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def promote(cell: str, name: str) -> str:
    """Return the source of Query ``name``: the cell, each public function with a doc comment that secures it.

    What the cell documents itself stays as it is. The rest comes from docstrings and annotations, and needs Read on
    the Workflow.

    Args:
        cell: Python, without what only notebooks understand.
        name: the Query's ID.

    Raises:
        ArgumentsError: the cell is no plain Python, or defines no public function.
        BuildError: one of its doc comments can't be read.
    """
    try:
        tree = ast.parse(cell)
    except SyntaxError as error:
        raise ArgumentsError(f"line {error.lineno} of the cell is no plain Python: {error.msg}") from None
    functions = [node for node in tree.body if isinstance(node, _Function) and not node.name.startswith("_")]
    if not functions:
        raise ArgumentsError("the cell defines no function whose name begins without _, so there is nothing to call")
    docs = parse_docs(cell, name, "python")
    if not docs.ok:
        raise BuildError("a doc comment of the cell can't be read", docs.diagnostics)
    lines = cell.rstrip().splitlines()
    for function in reversed(functions):
        if function.name not in docs.functions:
            first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)]) - 1
            lines[first:first] = _document(function)
    if "<info" not in cell:
        lines[:0] = ['### <info version="1.0.0">', f"###     <title>{name}</title>", "### </info>", ""]
    return MARK + "\n".join(lines) + "\n"


def demote(source: str, name: str) -> str:
    """Return the cell that ``promote`` would make ``source`` of."""
    return f"%%query {name}\n{source.removeprefix(MARK)}"


def _document(function: _Function) -> Iterator[str]:
    doc = ast.get_docstring(function) or ""
    summary = " ".join(doc.partition("\n\n")[0].split()) or f"{function.name}, promoted from a notebook."
    texts = parameter_texts(inspect.cleandoc(doc))
    yield f"### <api name={quoteattr(function.name)}>"
    yield f"###     <description>{escape(summary)}</description>"
    if function.returns is not None:
        yield f"###     <returns>{escape(ast.unparse(function.returns))}</returns>"
    every = function.args
    for parameter in (*every.posonlyargs, *every.args, *every.kwonlyargs):
        kind = f" type={quoteattr(ast.unparse(parameter.annotation))}" if parameter.annotation is not None else ""
        yield f'###     <param name="{parameter.arg}"{kind}>{escape(texts.get(parameter.arg, ""))}</param>'
    yield "###     <permissions>"
    yield '###         <group id="$WID$" permission="read"/>'
    yield "###     </permissions>"
    yield "### </api>"
