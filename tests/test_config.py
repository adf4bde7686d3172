"""Finding, reading and checking coflows_config.json."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coflows_jupyter.config import Config, load_config
from coflows_jupyter.errors import ConfigError

SEED = Path(__file__).parent / "data" / "seed_config.json"
KEY = "0123456789abcdef0123456789abcdef"


def load(folder: Path, content: dict[str, Any] | str, **environ: str) -> Config:
    """Load a config that holds ``content`` and nothing else."""
    text = content if isinstance(content, str) else json.dumps(content)
    return load_config(environ={"coflows_config": text, **environ}, cwd=folder)


def test_seed_example(tmp_path: Path) -> None:
    """The seed's example, pasted byte for byte, loads with one warning and all its values."""
    file = tmp_path / "coflows_config.json"
    file.write_bytes(SEED.read_bytes())
    config = load_config(environ={}, cwd=tmp_path)
    (warning,) = config.diagnostics
    assert (warning.file, warning.line, warning.column, warning.code) == (str(file), 21, 9, "missing-comma")
    assert config.file == file
    assert config.folder == tmp_path
    assert config.database.connection.get_secret_value() == "mnt/database.db"
    assert config.database.type == "sqlite"
    assert config.workflow == tmp_path / "package.json"
    assert config.jupyter is False
    assert config.server.host == "localhost"
    assert config.server.secret_key.get_secret_value() == "26499e5e555e9957725f51cc4d400384"
    assert (config.server.lets_encrypt.email, config.server.lets_encrypt.staging) == ("", False)
    assert config.cloud
    assert (config.cloud.host, config.cloud.port, config.cloud.ssl) == ("coflows.quant.app", None, True)
    assert config.cloud.secret_key.get_secret_value() == "xxx"
    azure = config.azure_container_instance
    assert azure
    assert azure.auth_file == tmp_path / "Files" / "my.azureauth"
    assert (azure.dns, azure.region, azure.cores, azure.mem) == ("coflows-container", "UKSouth", 4, 4)
    assert (azure.gpu.sku, azure.gpu.cores) == ("", 1)


def test_defaults(tmp_path: Path) -> None:
    """Every key may be left out."""
    config = load(tmp_path, {})
    assert config.workflow == tmp_path / "package.json"
    assert (config.host.mode, config.host.workers, config.host.timeout, config.host.spare) == ("process", 1, 60, "auto")
    assert (config.watch, config.runs.keep, config.port) == ("auto", "all", 8888)
    assert config.server.secret_key.get_secret_value() == ""
    assert (config.cloud, config.azure_container_instance, config.diagnostics) == (None, None, ())
    assert load(tmp_path, {"Cloud": None, "Server": {"Port": None}}).model_dump() == config.model_dump()


def test_host_section(tmp_path: Path) -> None:
    """Durations have units; switches may be written as true and false."""
    host = load(tmp_path, {"Host": {"Mode": "embedded", "Workers": 3, "Timeout": "2m", "Spare": True}}).host
    assert (host.mode, host.workers, host.timeout, host.spare) == ("embedded", 3, 120, "on")
    assert load(tmp_path, {"Host": {"Timeout": 1.5}}).host.timeout == 1.5


def test_config_is_frozen(tmp_path: Path) -> None:
    """Nothing can change a config after it was checked."""
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path, {}).server.port = 1


# ---------------------------------------------------------------------------------------------- finding it


def test_found_by_argument_file_or_folder(tmp_path: Path) -> None:
    """The argument is a file or the folder that holds one; it beats the environment."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "coflows_config.json").write_text('{"Jupyter": true}')
    (tmp_path / "sub" / "other.json").write_text('{"Server": {"Port": 1}}')
    environ = {"coflows_config": "{}", "config_file": "nowhere.json"}
    assert load_config("sub", environ=environ, cwd=tmp_path).jupyter
    assert load_config(tmp_path / "sub", environ=environ).jupyter
    other = load_config("sub/other.json", environ=environ, cwd=tmp_path)
    assert (other.port, other.folder) == (1, tmp_path / "sub")


def test_found_by_environment(tmp_path: Path) -> None:
    """``config_file`` names a file of the folder; ``coflows_config`` is the whole text; empty means not set."""
    (tmp_path / "mine.json").write_text('{"Server": {"Port": 1}}')
    (tmp_path / "coflows_config.json").write_text('{"Server": {"Port": 3}}')
    text = '{"Server": {"Port": 2}}'
    assert load_config(environ={"config_file": "mine.json", "coflows_config": text}, cwd=tmp_path).port == 1
    inline = load_config(environ={"config_file": "", "coflows_config": text}, cwd=tmp_path)
    assert (inline.port, inline.file, inline.folder) == (2, None, tmp_path)
    assert load_config(environ={"config_file": "", "coflows_config": ""}, cwd=tmp_path).port == 3


def test_old_names(tmp_path: Path) -> None:
    """Files of 2019 say ``Workspace`` and are named quantapp_config.json."""
    (tmp_path / "quantapp_config.json").write_text('{"Workspace": "mnt/workspace.json"}')
    config = load_config(environ={}, cwd=tmp_path)
    assert config.workflow == tmp_path / "workspace.json"
    assert config.diagnostics == ()


def test_nothing_found(tmp_path: Path) -> None:
    """An empty folder and a misspelt name are errors with a next step."""
    with pytest.raises(ConfigError) as caught:
        load_config(environ={}, cwd=tmp_path)
    assert "coflows new DIR" in caught.value.hint
    (tmp_path / "coflows_config.json").write_text("{}")
    with pytest.raises(ConfigError) as caught:
        load_config("cofows_config.json", environ={}, cwd=tmp_path)
    assert caught.value.diagnostics[0].hint == "did you mean coflows_config.json?"


# ---------------------------------------------------------------------------------------------- paths and addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mnt/package.json", "package.json"),
        ("/app/mnt/Files/a.csv", "Files/a.csv"),
        ("./mnt/x", "x"),
        ("mnt", "."),
        ("/app/mnt/", "."),
        ("package.json", "package.json"),
        ("mntx/y", "mntx/y"),
        ("a/mnt/b", "a/mnt/b"),
        ("mnt\\Files\\a.csv", "Files/a.csv"),
        ("../x", "../x"),
    ],
)
def test_paths(tmp_path: Path, text: str, expected: str) -> None:
    """A leading mnt/ or /app/mnt/ means the config's folder, where the original mounted it."""
    assert load(tmp_path, {}).resolve(text) == (tmp_path / expected).resolve()


def test_absolute_path_stays(tmp_path: Path) -> None:
    """Any other absolute path means itself."""
    assert load(tmp_path / "sub", {}).resolve(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("host", "container", "bind"),
    [
        ("localhost", "", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("localhost", "1", "0.0.0.0"),  # noqa: S104
        ("app.coflows.com", "", "0.0.0.0"),  # noqa: S104
    ],
)
def test_bind(tmp_path: Path, host: str, container: str, bind: str) -> None:
    """Only a loopback host outside of the image binds to loopback, and only there a save is watched by default."""
    config = load(tmp_path, {"Server": {"Host": host}}, COFLOWS_CONTAINER=container)
    assert config.bind == bind
    assert config.watching is (bind == "127.0.0.1")
    assert load(tmp_path, {"Server": {"Host": host}, "Watch": "on"}, COFLOWS_CONTAINER=container).watching
    assert not load(tmp_path, {"Server": {"Host": host}, "Watch": "off"}, COFLOWS_CONTAINER=container).watching


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("a.b.c", "a.b.c", None), ("a.b:8443", "a.b", 8443), ("[::1]:80", "[::1]", 80), ("", "", None)],
)
def test_cloud_host(tmp_path: Path, address: str, host: str, port: int | None) -> None:
    """The Cloud's host may carry a port."""
    cloud = load(tmp_path, {"Cloud": {"Host": address}}).cloud
    assert cloud
    assert (cloud.host, cloud.port) == (host, port)


# ---------------------------------------------------------------------------------------------- secrets


def test_secret_references(tmp_path: Path) -> None:
    """A secret may be, or hold, an environment variable, or be the text of a file."""
    (tmp_path / "secret").write_text(f"{KEY}\n")
    config = load(
        tmp_path,
        {
            "Server": {"SecretKey": "${KEY}"},
            "Cloud": {"Host": "x", "SecretKey": "file:mnt/secret"},
            "Database": {"Connection": "Server=x;Password=${PASSWORD};", "Type": "mssql"},
        },
        KEY=KEY,
        PASSWORD="a b${KEY}",
    )
    assert config.server.secret_key.get_secret_value() == KEY
    assert config.cloud
    assert config.cloud.secret_key.get_secret_value() == KEY
    assert config.database.connection.get_secret_value() == "Server=x;Password=a b${KEY};"


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    """Neither repr nor str of a config shows a secret."""
    config = load(tmp_path, {"Server": {"SecretKey": KEY}, "Cloud": {"Host": "x", "SecretKey": KEY}})
    for text in (repr(config), str(config), repr(config.server), str(config.model_dump()), config.model_dump_json()):
        assert KEY not in text


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Server": {{"SecretKey": ["{KEY}"]}}}}',
        f'{{"Server": {{"SecretKey": {KEY}}}}}',
        f'{{"Server": {{"SecretKey": x{KEY}}}}}',
        f'{{"Server": {{"SecretKey": "a"{KEY}"}}}}',
        f'{{"Server": "{KEY}"}}',
        '{"Server": {"SecretKey": 11223344556677}}',
        f'{{"Server": {{"Port": "{KEY}", "Host": "{KEY}://"}}}}',
        f'{{"Cloud": {{"Host": "{KEY}://"}}, "Jupyter": "{KEY}", "Runs": "{KEY}", "Workflow": ["{KEY}"]}}',
        f'{{"Server": {{"SecretKey": "${{NOT_SET}}{KEY}"}}}}',
    ],
)
def test_errors_never_repeat_a_value(tmp_path: Path, text: str) -> None:
    """A mistake about a secret, or a secret in the wrong place, doesn't show it."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    for said in (repr(caught.value), str(caught.value.diagnostics)):
        assert KEY not in said
        assert "11223344556677" not in said
    assert caught.value.__cause__ is None


def test_history_as_text_or_section(tmp_path: Path) -> None:
    """The text alone says which runs are kept; a section also says how long, and has its defaults."""
    assert load(tmp_path, {"Runs": "errors"}).runs.keep == "errors"
    runs = load(tmp_path, {"Runs": {"Keep": "all", "Days": 7, "Rows": 1000, "Size": "1.5Gi"}}).runs
    assert (runs.keep, runs.days, runs.rows, runs.size) == ("all", 7, 1000, 1536 * 1024**2)
    runs = load(tmp_path, {"Runs": {}}).runs
    assert (runs.keep, runs.days, runs.rows, runs.size) == ("all", 30, 200_000, 256 * 1024**2)


@pytest.mark.parametrize(
    ("runs", "message", "hint"),
    [
        ('"error"', 'Runs: this must be "all", "errors" or "off"', 'did you mean "errors"?'),
        ("7", 'Runs must be "all", "errors", "off" or a section in {…}', 'write "Runs": "all"'),
        ('{"Keep": "none"}', 'Runs.Keep must be "all", "errors" or "off"', 'write "Keep": "all"'),
        ('{"Days": 0}', "Runs.Days must be a number of days above 0", 'write "Days": 30'),
        ('{"Rows": 1.5}', "Runs.Rows must be a whole number from 1", 'write "Rows": 200000'),
        ('{"Size": "1Ki"}', "Runs.Size: this is too small for a history", 'write "1Mi" or more'),
        ('{"Size": "much"}', "Runs.Size: 'much' is not", 'write "200Mi"'),
    ],
)
def test_mistakes_about_history(tmp_path: Path, runs: str, message: str, hint: str) -> None:
    """Each is told at its line, with what to write."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f'{{"Jupyter": true,\n "Runs": {runs}}}')
    (found,) = caught.value.diagnostics
    assert found.line == 2
    assert found.message.startswith(message)
    assert hint in found.hint


# ---------------------------------------------------------------------------------------------- unknown keys


def test_unknown_keys_name_the_nearest(tmp_path: Path) -> None:
    """A misspelt or wrongly cased key is a warning with what was probably meant."""
    config = load(tmp_path, '{"Databse": {},\n "server": {},\n "Server": {"Secretkey": "x", "Zzz": 1}}')
    assert [(d.severity, d.line, d.hint) for d in config.diagnostics] == [
        ("warning", 1, 'did you mean "Database"?'),
        ("warning", 2, 'write "Server"'),
        ("warning", 3, 'write "SecretKey"'),
        (
            "warning",
            3,
            "known here: Host, Port, SecretKey, LetsEncrypt, HttpPort, Certificate, CertificateKey, BehindProxy, Cors",
        ),
    ]


def test_keys_of_the_original_are_known(tmp_path: Path) -> None:
    """Sections that only the original reads, and those switched off by a leading underscore, are no mistake."""
    content = {"SendGrid": "x", "Logging": {}, "Server": {"OAuth": {"GitHub": {}}, "_OAuth": {}}, "_Cloud": {}}
    assert load(tmp_path, content).diagnostics == ()


def test_file_cannot_set_what_is_not_its_own(tmp_path: Path) -> None:
    """Only the documented keys reach the model."""
    config = load(tmp_path, {"folder": "/etc", "container": True, "diagnostics": []})
    assert (config.folder, config.container, len(config.diagnostics)) == (tmp_path, False, 3)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """One run shows every mistake, in the order of the file, warnings among them."""
    text = '{"Jupyter": 3,\n"Prot": 1,\n"Host": {"Workers": 0, "Mode": "proces"}}'
    with pytest.raises(ConfigError, match="has 3 mistakes") as caught:
        load(tmp_path, text)
    assert [(d.line, d.severity) for d in caught.value.diagnostics] == [
        (1, "error"),
        (2, "warning"),
        (3, "error"),
        (3, "error"),
    ]


KEYS = st.sampled_from(
    """
    Database Connection Type Workflow Server Host Port SecretKey Cloud
    Timeout Workers Mode AzureContainerInstance AuthFile Gpu Cores Watch Jupyter
    Workspace LetsEncrypt x
    """.split()  # noqa: SIM905 - shorter than a list
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["on", "${A}", "file:"])


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner), max_leaves=20))
def test_any_content_gives_a_config_or_complaints_with_a_next_step(content: Any) -> None:
    """Whatever the file holds, nothing but ConfigError is raised, and each finding has a place and a hint."""
    try:
        found = load(Path("/"), json.dumps(content).replace("Infinity", "1e999").replace("NaN", "0")).diagnostics
    except ConfigError as error:
        found = error.diagnostics
        assert any(d.severity == "error" for d in found)
    assert all(d.line and d.column and d.message and d.hint for d in found)


def test_import_stays_light() -> None:
    """Loading the config brings pydantic along and nothing heavier."""
    code = "import sys, coflows_jupyter.config; print({'asyncio', 'tornado', 'difflib', 'IPython'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_cors_takes_origins(tmp_path: Path) -> None:
    """Origins are kept as browsers write them; what is none is a mistake, and so is a star."""
    listed = ["https://App.example.com", "https://a.example:443", "http://localhost:3000", "http://[::1]:80"]
    config = load(tmp_path, {"Server": {"Cors": listed}})
    assert config.server.cors == (
        "https://app.example.com",
        "https://a.example",
        "http://localhost:3000",
        "http://[::1]",
    )
    for wrong in ("*", "app.example.com", "https://app.example.com/", "ftp://a"):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, {"Server": {"Cors": [wrong]}})
        assert "origin" in caught.value.diagnostics[0].message


def test_a_config_of_its_own_volume_is_about_the_working_directory(tmp_path: Path) -> None:
    """In the image a file outside of the working directory speaks of that; anywhere else, of its own folder."""
    app, secret = tmp_path / "app", tmp_path / "secret"
    app.mkdir()
    secret.mkdir()
    file = secret / "coflows_config.json"
    file.write_text('{"Workflow": "mnt/package.json"}')
    container = {"COFLOWS_CONTAINER": "1"}
    assert load_config(file, environ=container, cwd=app).workflow == app / "package.json"
    assert load_config(file, environ={}, cwd=app).workflow == secret / "package.json"
    assert load_config(file, environ=container, cwd=tmp_path).workflow == secret / "package.json"


# ---------------------------------------------------------------------------------------------- https


@pytest.mark.parametrize(
    ("server", "port", "issues", "encrypts"),
    [
        ({"Host": "localhost", "LetsEncrypt": {"Email": "john@doe.com"}}, 8888, False, False),
        ({"Host": "app.coflows.com", "LetsEncrypt": {"Email": ""}}, 8888, False, False),
        ({"Host": "app.coflows.com", "LetsEncrypt": {"Email": "john@doe.com"}}, 443, True, True),
        ({"Host": "app.coflows.com", "LetsEncrypt": {"Email": "john@doe.com"}, "Port": 8443}, 8443, True, True),
        ({"Host": "app.coflows.com", "Certificate": "chain.pem"}, 443, False, True),
    ],
)
def test_https(tmp_path: Path, server: dict[str, object], port: int, *, issues: bool, encrypts: bool) -> None:
    """A public name and an e-mail address ask Let's Encrypt for a certificate; without either it is plain HTTP."""
    config = load(tmp_path, {"Server": server})
    assert (config.port, config.issues, config.encrypts) == (port, issues, encrypts)


def test_authorities(tmp_path: Path) -> None:
    """Staging is Let's Encrypt's own test service; another ACME server is named by its directory, which is https."""
    name = "https://acme{}-v02.api.letsencrypt.org/directory"
    for staging in (False, True):
        section = {"LetsEncrypt": {"Email": "john@doe.com", "Staging": staging}}
        directory = load(tmp_path, {"Server": section}).server.lets_encrypt.directory
        assert directory == name.format("-staging" if staging else "")
    own = {"Email": "john@doe.com", "Staging": True, "Server": "https://ca.example.com/directory"}
    assert load(tmp_path, {"Server": {"LetsEncrypt": own}}).server.lets_encrypt.directory == own["Server"]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {"Server": {"LetsEncrypt": {"Server": "http://ca.example.com/directory"}}})
    assert "begins with https://" in caught.value.diagnostics[0].hint


def test_own_certificate(tmp_path: Path) -> None:
    """The key is looked for in the certificate's file unless another is named; the environment names both, too."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    assert load(tmp_path, {"Server": {"Certificate": "mnt/chain.pem"}}).certificate == (chain, chain)
    named = load(tmp_path, {"Server": {"Certificate": "chain.pem", "CertificateKey": "key.pem"}})
    assert named.certificate == (chain, key)
    environ = {"COFLOWS_CERTIFICATE": "/a.pem", "COFLOWS_CERTIFICATE_KEY": "/b.pem"}
    file = tmp_path / "coflows_config.json"
    file.write_text("{}")
    assert load_config(file, environ=environ).certificate == (Path("/a.pem"), Path("/b.pem"))
