"""What ``coflows add`` writes in Java compiles as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.jvm import compile_jvm
from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.templates import add_agent, add_base, add_query, new_workflow


def test_templates_compile(tmp_path: Path) -> None:
    """A Query and a Base library have no finding at all."""
    package = new_workflow(tmp_path / "flow") / "package.json"
    add_base(package, "Sums", "java")
    add_query(package, "Numbers", "java")
    compiled = compile_jvm(assemble(package).build.units)

    assert not compiled.diagnostics
    assert compiled.made is not None
    made = [Path(source).name for classes in compiled.made.libraries for source in classes.sources]
    assert made == ["Sums.java", "Numbers.java"]


def test_what_can_not_be(tmp_path: Path) -> None:
    """A word of the language is no name, and there are no Agents in it."""
    package = new_workflow(tmp_path / "flow") / "package.json"

    with pytest.raises(PackageError, match="can't be the name"):
        add_query(package, "record", "java")
    with pytest.raises(PackageError, match="Agents can't be in java"):
        add_agent(package, "Clock", "java")
