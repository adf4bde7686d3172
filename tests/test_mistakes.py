"""Mistakes that people make in the two files: each is found, with file, line and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from coflows_jupyter.errors import Diagnostic
from coflows_jupyter.workflow.templates import new_workflow
from coflows_jupyter.workflow.validate import validate


class Mistake(NamedTuple):
    """What is written instead of what, and what is said: line, severity, and a part of the message and of the hint."""

    name: str
    old: str
    new: str
    line: int
    severity: str
    message: str
    hint: str


CONFIG = [
    Mistake("no comma in front of a key", '"Jupyter": true,', '"Jupyter": true', 8, "warning", '"Server"', "write ,"),
    Mistake("unquoted key", '"Server": {', "Server: {", 8, "error", "a key is due", '"Server"'),
    Mistake("single quotes", '"localhost"', "'localhost'", 9, "error", "a value is due", '"text"'),
    Mistake("Python's True", "true, //", "True, //", 7, "error", "a value is due", "write true"),
    Mistake("missing colon", '"Port": 8888', '"Port" 8888', 10, "error", 'after the key "Port"', '"Port":'),
    Mistake("Windows path", '"mnt/database.db"', r'"C:\data.db"', 3, "error", r"\d means nothing", r"write \\"),
    Mistake("text without end", '"localhost"', '"localhost', 9, "error", "doesn't end on its line", 'write "'),
    Mistake("comment without end", "} */", "}", 17, "error", "comment doesn't end", "*/"),
    Mistake("brace too few", '"Staging": false\n        }', '"Staging": false', 23, "error", "of line 1,", "missing }"),
    Mistake("brace too many", '"Staging": false', '"Staging": false}}', 16, "error", "after the end", "remove it"),
    Mistake("key given twice", '"Port": 8888', '"Port": 1, "Port": 8888', 10, "warning", "twice", "remove"),
    Mistake("misspelt section", '"Server"', '"Sever"', 8, "warning", "Sever is unknown", '"Server"'),
    Mistake("misspelt key", '"SecretKey"', '"SecrteKey"', 11, "warning", "SecrteKey", '"SecretKey"'),
    Mistake("wrong case", '"Port"', '"port"', 10, "warning", "case-sensitive", 'write "Port"'),
    Mistake("key in the wrong place", '"Jupyter"', '"Staging": true, "Jupyter"', 7, "warning", "unknown", "known here"),
    Mistake("port too high", "8888", "88888", 10, "error", "0 to 65535, not 88888", '"Port": 8888'),
    Mistake("port as words", "8888", '"eighty"', 10, "error", "a port from 0 to 65535", '"Port": 8888'),
    Mistake(
        "URL as host", '"localhost"', '"http://localhost"', 9, "error", "Server.Host: this is a URL", "host name only"
    ),
    Mistake("host with port", '"localhost"', '"localhost:80"', 9, "error", "no host name", '"Port" beside it'),
    Mistake(
        "text as section", '"Server": {', '"Cloud": "x", "Server": {', 8, "error", "Cloud must be a section", "{…}"
    ),
    Mistake("list as section", '"Server": {', '"Host": [], "Server": {', 8, "error", "Host must be a section", "{…}"),
    Mistake("unknown database", '"sqlite"', '"sqlight"', 4, "error", "Database.Type must be", 'mean "sqlite"'),
    Mistake(
        "unknown mode", '"Jupyter"', '"Host": {"Mode": "proces"},\n"Jupyter"', 7, "error", "Mode", 'mean "process"'
    ),
    Mistake(
        "no workers", '"Jupyter"', '"Host": {"Workers": 0}, "Jupyter"', 7, "error", "from 1, not 0", '"Workers": 1'
    ),
    Mistake(
        "bad duration", '"Jupyter"', '"Host": {"Timeout": "1 min"}, "Jupyter"', 7, "error", "not a duration", "60s"
    ),
    Mistake("no duration", '"Jupyter"', '"Host": {"Timeout": 0}, "Jupyter"', 7, "error", "needs some time", "60s"),
    Mistake("bad switch", '"Jupyter"', '"Watch": "yes", "Jupyter"', 7, "error", "Watch must be", '"Watch": "auto"'),
    Mistake(
        "missing variable", '"mnt/database.db"', '"Password=${NOPE}"', 3, "error", "variable NOPE is not set", "set it"
    ),
    Mistake("missing secret file", '"mnt/database.db"', '"file:mnt/no"', 3, "error", "can't be read", "create it"),
    Mistake(
        "missing Cloud host", '"Jupyter"', '"Cloud": {},\n"Jupyter"', 7, "error", "Cloud.Host is missing", '"Host":'
    ),
    Mistake(
        "unknown GPU",
        '"Jupyter"',
        '"AzureContainerInstance": {"Gpu": {"SKU": "v100"}}, "Jupyter"',
        7,
        "error",
        "SKU",
        "V100",
    ),
    Mistake("wrong package path", "mnt/package.json", "mnt/pakage.json", 6, "error", "no such file", "package.json"),
]

PACKAGE = [
    Mistake("no comma between entries", '],\n    "Agents"', ']\n    "Agents"', 7, "warning", '"Agents"', "write ,"),
    Mistake(
        "no comma between items", '"Files": [', '"Files": [{"Content": "a"}', 17, "error", "a comma or ]", "write ,"
    ),
    Mistake("misspelt list", '"Queries"', '"Querys"', 8, "warning", "Querys is unknown", '"Queries"'),
    Mistake("wrong case", '"ID": "pyapi"', '"Id": "pyapi"', 9, "warning", "case-sensitive", '"ID"'),
    Mistake("section as list", '"Agents": []', '"Agents": {}', 7, "error", "Agents must be a list", "[…]"),
    Mistake("text as entry", '"Agents": []', '"Agents": ["a.py"]', 7, "error", "Agents[0] must be a section", "{…}"),
    Mistake(
        "no Content", '"Content": "Queries/pyapi.py", ', "", 9, "error", "Queries[0].Content is missing", '"Content": '
    ),
    Mistake("empty Content", '"Base/library.py" }', '"" }', 5, "error", "must be a path", '"Content": '),
    Mistake(
        "missing file",
        '"Queries/pyapi.py"',
        '"Queries/pyap.py"',
        9,
        "error",
        "no file Queries/pyap.py",
        "Queries/pyapi.py?",
    ),
    Mistake(
        "path leads out", '"Queries/pyapi.py"', '"../pyapi.py"', 9, "error", "leads out", "move the file into Queries/"
    ),
    Mistake(
        "absolute path", '"Base/library.py" }', '"/etc/passwd" }', 5, "error", "leads out", "move the file into Base/"
    ),
    Mistake(
        "ID twice", '"ID": "pyapi" }', '"ID": "a" },\n{"Content": "b.py", "ID": "a"}', 10, "error", "line 9", "own ID"
    ),
    Mistake("ID with a slash", '"ID": "pyapi"', '"ID": "py/api"', 9, "warning", "need encoded", '"py-api"'),
    Mistake("ID of dots", '"ID": "pyapi"', '"ID": ".."', 9, "error", "can't be part of a URL", "use letters"),
    Mistake("no ID", '"Name": "w"', '"ID": "", "Name": "w"', 3, "warning", "no ID yet", "coflows local build"),
    Mistake("bad memory", '"2Gi"', '"2 gigs"', 23, "error", "Resources.Limit.Mem: '2 gigs'", "200Mi"),
    Mistake("bad CPU", '"500m"', '"half"', 22, "error", "Resources.Request.Cpu: 'half'", "500m"),
    Mistake(
        "unknown level",
        '"Permissions": []',
        '"Permissions": [{"ID": "a", "Permission": 9}]',
        11,
        "error",
        "not 9",
        "Permission",
    ),
    Mistake("pip as text", '"Pips": []', '"Pips": ["pandas"]', 13, "error", "Pips[0] must be a section", "{…}"),
    Mistake("missing ReadMe", '"Publisher"', '"ReadMe": "no.md", "Publisher"', 19, "warning", "ReadMe", "create it"),
]


def findings(folder: Path, file: str, mistake: Mistake) -> list[Diagnostic]:
    """Make the mistake in a file of a new Workflow and return what is said about that file."""
    path = new_workflow(folder / "w") / file
    text = path.read_text()
    assert mistake.old in text
    path.write_text(text.replace(mistake.old, mistake.new, 1))
    return [d for d in validate(path.parent, environ={}) if d.file == str(path)]


def check(found: list[Diagnostic], mistake: Mistake) -> None:
    """Expect the finding, with its place and next step, and a next step in every other finding."""
    assert all(d.hint for d in found)
    assert any(
        (d.line, d.severity) == (mistake.line, mistake.severity)
        and d.column > 0
        and mistake.message in d.message
        and mistake.hint in d.hint
        for d in found
    ), "\n".join(map(str, found))


@pytest.mark.parametrize("mistake", CONFIG, ids=lambda m: m.name)
def test_mistakes_in_the_config(tmp_path: Path, mistake: Mistake) -> None:
    """Every mistake in coflows_config.json says where it is, what is wrong and what to write."""
    check(findings(tmp_path, "coflows_config.json", mistake), mistake)


@pytest.mark.parametrize("mistake", PACKAGE, ids=lambda m: m.name)
def test_mistakes_in_the_package(tmp_path: Path, mistake: Mistake) -> None:
    """Every mistake in package.json says where it is, what is wrong and what to write."""
    check(findings(tmp_path, "package.json", mistake), mistake)
