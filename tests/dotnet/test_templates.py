"""What ``coflows add`` writes in the languages of .NET compiles as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.dotnet import compile_dotnet
from coflows_jupyter.errors import PackageError
from coflows_jupyter.workflow.templates import add_agent, add_base, add_query, new_workflow


def test_templates_compile(tmp_path: Path) -> None:
    """A Query, an Agent and a Base library in each language have no finding at all."""
    package = new_workflow(tmp_path / "flow") / "package.json"
    for language in ("csharp", "vb", "fsharp"):
        for add in (add_base, add_query, add_agent):
            add(package, f"{language}_{add.__name__}", language)
    compiled = compile_dotnet(assemble(package).build.units)

    assert not compiled.diagnostics
    assert compiled.made is not None
    made = [Path(source).stem for library in compiled.made.libraries for source in library.sources]
    assert sorted(made) == sorted(
        f"{language}_add_{kind}" for kind in ("base", "query", "agent") for language in ("csharp", "vb", "fsharp")
    )


@pytest.mark.parametrize(("language", "name"), [("csharp", "class"), ("vb", "Module"), ("fsharp", "let")])
def test_reserved_words(tmp_path: Path, language: str, name: str) -> None:
    """A word of the language can't be the name of a file in it."""
    package = new_workflow(tmp_path / "flow") / "package.json"

    with pytest.raises(PackageError, match="can't be the name"):
        add_query(package, name, language)
