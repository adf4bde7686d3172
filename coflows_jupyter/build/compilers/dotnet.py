"""The builder of .NET.

What it does is in ``Builder.cs``, which the SDK's own compiler compiles when it is first needed, once for a computer.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

import msgspec

from coflows_jupyter.build.compilers.builder import Builder
from coflows_jupyter.errors import BuildError
from coflows_jupyter.host.launch import environment as without_keys
from coflows_jupyter.runtimes.dotnet import Dotnet, environment

_SOURCE = Path(__file__).with_name("Builder.cs")


@cache
def builder(dotnet: Dotnet, folder: Path) -> Builder:
    """Return the builder that all Workflows of this process share."""
    return Builder(".NET", lambda: _command(dotnet, folder), environment(without_keys()))


def _command(dotnet: Dotnet, folder: Path) -> list[str]:
    return [dotnet.program, "exec", str(_program(dotnet, folder)), dotnet.sdk]


def _program(dotnet: Dotnet, cache: Path) -> Path:
    """Return the compiled builder, after compiling it where that was not done yet.

    Raises:
        BuildError: it can't be compiled.
    """
    text = _SOURCE.read_bytes()
    key = hashlib.sha256(b"\0".join((text, dotnet.sdk.encode(), dotnet.runtime.encode())))
    folder = cache / f"builder-{key.hexdigest()[:16]}"
    program = folder / "builder.dll"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"framework": {"name": "Microsoft.NETCore.App", "version": f"{dotnet.major}.0.0"}}
        settings["configProperties"] = {"System.GC.Concurrent": False, "System.Runtime.TieredPGO": False}  # type: ignore[dict-item]
        (folder / "builder.runtimeconfig.json").write_bytes(msgspec.json.encode({"runtimeOptions": settings}))
        _compile_itself(dotnet, program)
    return program


def _compile_itself(dotnet: Dotnet, program: Path) -> None:
    roslyn = Path(dotnet.sdk, "Roslyn", "bincore")
    partial = program.with_name(f"builder.{os.getpid()}.partial")
    names = ("Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp", "Microsoft.CodeAnalysis.VisualBasic")
    libraries = [*dotnet.references, *(str(roslyn / f"{name}.dll") for name in names)]
    words = [f'-r:"{path}"' for path in libraries]
    response = program.with_name(f"builder.{os.getpid()}.rsp")
    options = ["-nologo", "-target:exe", "-optimize+", "-nullable:enable", "-langversion:latest"]
    response.write_text("\n".join([*options, f'-out:"{partial}"', *words, f'"{_SOURCE}"']))
    try:
        done = subprocess.run(
            [dotnet.program, "exec", str(roslyn / "csc.dll"), "-noconfig", f"@{response}"],
            capture_output=True,
            text=True,
            env=environment(without_keys()),
            check=False,
        )
        if done.returncode:
            raise BuildError(f"the builder does not compile with {dotnet.sdk}: {done.stdout.strip()[:500]}")
        partial.replace(program)
    finally:
        response.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
