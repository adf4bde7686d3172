"""Figures of Matplotlib, Plotly and Altair as pictures and pages."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from typing import Any

from coflows_jupyter.errors import NotAcceptableError

Forms = Mapping[str, Callable[[Any], bytes]]

HTML, PNG, SVG, JSON = "text/html", "image/png", "image/svg+xml", "application/json"


def figure_forms(value: Any) -> Forms | None:
    """Return the forms of a figure, its own first; ``None`` for any other value."""
    for module_name, class_name, forms in _FIGURES:
        module = sys.modules.get(module_name)
        if module is not None and isinstance(value, getattr(module, class_name)):
            return forms
    return None


def _matplotlib(kind: str) -> Callable[[Any], bytes]:
    def save(figure: Any) -> bytes:
        import matplotlib as mpl

        buffer = io.BytesIO()
        # No date and no random names in it: equal figures are equal bytes.
        if mpl.rcParams["svg.hashsalt"] is None:
            mpl.rcParams["svg.hashsalt"] = "coflows"
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(buffer, format=kind, bbox_inches="tight", metadata=metadata)
        return buffer.getvalue()

    return save


def _matplotlib_page(figure: Any) -> bytes:
    svg = _matplotlib("svg")(figure)
    return b"<!DOCTYPE html><meta charset=utf-8>" + svg[svg.index(b"<svg") :]


def _plotly_picture(kind: str) -> Callable[[Any], bytes]:
    def save(figure: Any) -> bytes:
        try:
            picture: bytes = figure.to_image(format=kind)
        except (ImportError, ValueError, RuntimeError) as error:
            raise NotAcceptableError(f"a picture of a Plotly figure needs kaleido and a browser: {error}") from None
        return picture

    return save


def _altair(kind: str) -> Callable[[Any], bytes]:
    def save(chart: Any) -> bytes:
        buffer = io.BytesIO() if kind == "png" else io.StringIO()
        options = {"inline": True} if kind == "html" else {}
        try:
            chart.save(buffer, format=kind, **options)
        except (ImportError, ValueError) as error:
            reason = "add the package vl-convert-python to Pips in package.json"
            raise NotAcceptableError(f"this form of an Altair chart needs more ({reason}): {error}") from None
        content = buffer.getvalue()
        return content if isinstance(content, bytes) else content.encode()

    return save


_MATPLOTLIB: Forms = {PNG: _matplotlib("png"), SVG: _matplotlib("svg"), HTML: _matplotlib_page}
_PLOTLY: Forms = {
    HTML: lambda figure: figure.to_html(include_plotlyjs=True, div_id="figure").encode(),
    JSON: lambda figure: figure.to_json().encode(),
    PNG: _plotly_picture("png"),
    SVG: _plotly_picture("svg"),
}
_ALTAIR: Forms = {
    HTML: _altair("html"),
    JSON: lambda chart: chart.to_json(indent=None).encode(),
    PNG: _altair("png"),
    SVG: _altair("svg"),
}
_FIGURES: tuple[tuple[str, str, Forms], ...] = (
    ("matplotlib.figure", "Figure", _MATPLOTLIB),
    ("plotly.basedatatypes", "BaseFigure", _PLOTLY),
    ("altair", "TopLevelMixin", _ALTAIR),
)
