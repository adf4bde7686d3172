"""One row of the route table."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.rules import Rule


class Route:
    """One row.

    Args:
        pattern: regular expression of the path below the base URL; a group ``workflow`` names the Workflow that the
            rules are about.
        handler: what answers.
        rules: what each method asks for. HEAD follows GET, and OPTIONS is public.
        path: the path as an OpenAPI template, for rows of the native REST API.
        summary: what it does, in a sentence.
        answer: what it answers, for rows of the native REST API.
    """

    def __init__(
        self,
        pattern: str,
        handler: type[BaseHandler],
        rules: Mapping[str, Rule],
        *,
        path: str = "",
        summary: str = "",
        answer: type[msgspec.Struct] | None = None,
    ) -> None:
        self.pattern = pattern
        self.handler = handler
        self.rules = {**rules, "OPTIONS": Rule.PUBLIC}
        if "GET" in rules:
            self.rules["HEAD"] = rules["GET"]
        self.path = path
        self.summary = summary
        self.answer = answer


def api(
    template: str, handler: type[BaseHandler], rules: Mapping[str, Rule], summary: str, answer: type | None = None
) -> Route:
    """Make a row of the native REST API from an OpenAPI template."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(pattern, handler, rules, path="/" + template, summary=summary, answer=answer)
