"""The permission matrix, generated from the route table: every route, every method, every kind of caller."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from tornado.web import RequestHandler

from coflows_jupyter.server.route import Route
from coflows_jupyter.server.routes import PREFIXES, ROUTES
from coflows_jupyter.server.rules import Rule
from tests.conftest import PUBLISHED_KEY, Server
from tests.server.conftest import WID

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CALLERS = ("anonymous", "key", "url key", "wrong key", "lab", "lab from elsewhere", "lab without xsrf", "url elsewhere")
# People by their keys; what each of them may in the Workflow's group, and everywhere.
PEOPLE = {
    "administrator": (2, 2),
    "writer": (2, -1),
    "reader": (1, -1),
    "viewer": (0, -1),
    "stranger": (-1, -1),
    # Write, but the key is limited to reading the Workflow, or to one function.
    "writer's reading key": (1, -1),
    "writer's key of Add": (-1, -1),
}
PEOPLE["with an expired membership"] = (-1, -1)
GONE = ("expired key", "revoked key", "closed account")

# One address per row; a new row without one fails the test below.
ADDRESSES = {
    "QueryHandler": f"flow/query/{WID}/main/Writers",
    "LegacyHandler": f"flow/getquery?wid={WID}&qid=main&name=Writers",
    "OpenApiHandler": f"flow/openapi/{WID}",
    "TryItHandler": f"flow/docs/{WID}",
    "TryItAssetHandler": f"flow/docs/{WID}/assets/init.js",
    "HealthHandler": "coflows/api/health",
    "ReadyHandler": "coflows/api/ready",
    "DescribeHandler": "coflows/api/openapi",
    "CertificateHandler": "coflows/api/certificate",
    "MeHandler": "coflows/api/me",
    "MSetsHandler": "coflows/api/m",
    "MSetHandler": "coflows/api/m/matrix",
    "MChangesHandler": "coflows/api/m-changes/matrix",
    # Not there: whoever passes the rule is told so.
    "MEntryHandler": "coflows/api/m/matrix/none",
    "MHistoryHandler": "coflows/api/m/matrix/entry/history",
    "MLegacyHandler": "m/data?type=matrix",
    "WorkflowsHandler": "coflows/api/workflows",
    "WorkflowHandler": f"coflows/api/workflows/{WID}",
    "BuildHandler": f"coflows/api/workflows/{WID}/build",
    "QueriesHandler": f"coflows/api/workflows/{WID}/queries",
    "AgentsHandler": f"coflows/api/workflows/{WID}/agents",
    "AgentRunsHandler": f"coflows/api/workflows/{WID}/agent-runs",
    "AgentCancelHandler": f"coflows/api/workflows/{WID}/agent-runs/none/cancel",
    "AgentNotebookHandler": f"coflows/api/workflows/{WID}/agent-runs/none/notebook",
    "NotebookJobsHandler": f"coflows/api/workflows/{WID}/notebook-jobs?path=/none.ipynb",
    "AgentExplainHandler": f"coflows/api/workflows/{WID}/agents/none/explain?at=1h",
    "AgentSendHandler": f"coflows/api/workflows/{WID}/agents/none/send",
    "AgentActionHandler": f"coflows/api/workflows/{WID}/agents/none/run",
    "LegacyAgentHandler": "flow/agent/none",
    "ScheduleHandler": "coflows/api/schedule",
    "ValidateHandler": f"coflows/api/workflows/{WID}/validate",
    "SourcesHandler": f"coflows/api/workflows/{WID}/sources",
    "NewWorkflowHandler": "coflows/api/templates/workflow",
    "PackageHandler": "flow/createworkflow",
    "CreateQueryHandler": "flow/createquery",
    "RemoveQueryHandler": "flow/removequery",
    "ZipHandler": f"flow/getzipfromworkflow?id={WID}",
    "ServicedHandler": "flow/servicedworkflows",
    "ToggleHandler": "flow/activeagenttoggle?id=/none",
    "CloudsHandler": "coflows/api/cloud",
    "CloudHandlerOfOne": f"coflows/api/cloud/{WID}",
    "CloudDeployHandler": f"coflows/api/cloud/{WID}/deploy",
    "CloudBuildHandler": f"coflows/api/cloud/{WID}/build",
    "CloudQueryHandler": f"coflows/api/cloud/{WID}/query",
    "CloudRollbackHandler": f"coflows/api/cloud/{WID}/rollback",
    "CloudRestartHandler": f"coflows/api/cloud/{WID}/restart",
    "CloudLogHandler": f"coflows/api/cloud/{WID}/log",
    # The configuration of these tests has no section for Azure.
    "AzureDeployHandler": f"coflows/api/deploy/{WID}/aci?section=/none",
    "AzureStatusHandler": f"coflows/api/deploy/{WID}/aci/status?section=/none",
    "AzureLogHandler": f"coflows/api/deploy/{WID}/aci/log?section=/none",
    "SchemaHandler": "coflows/api/schemas/package.json",
    "EventsHandler": "coflows/api/events",
    "RunsHandler": "coflows/api/runs",
    # A run that is not there: whoever passes the rule is told so.
    "RunHandler": "coflows/api/runs/none",
    "RunLogHandler": "coflows/api/runs/none/log",
    "RunResultHandler": "coflows/api/runs/none/result",
    "RunEventsHandler": "coflows/api/runs/none/events",
    "RunCancelHandler": "coflows/api/runs/none/cancel",
    "RunRerunHandler": "coflows/api/runs/none/rerun",
    # Likewise a key, a group, an account that are not there.
    "MyKeysHandler": "coflows/api/me/keys",
    "MyKeyHandler": "coflows/api/me/keys/none",
    "MyNameHandler": "coflows/api/me/name",
    "MyPasswordHandler": "coflows/api/me/password",
    "UsersHandler": "coflows/api/users",
    "UserHandler": "coflows/api/users/none",
    "KeysHandler": "coflows/api/keys",
    "KeyHandler": "coflows/api/keys/none",
    "AuditHandler": "coflows/api/audit",
    "GroupsHandler": "coflows/api/groups",
    "GroupHandler": f"coflows/api/groups/{WID}",
    "MembersHandler": f"coflows/api/groups/{WID}/members",
    "MemberHandler": f"coflows/api/groups/{WID}/members/none",
    "SecretsHandler": f"coflows/api/workflows/{WID}/secrets",
    "SecretHandler": f"coflows/api/workflows/{WID}/secrets/none",
    "TokenHandler": "connect/token",
    "LoginHandler": "account/login",
    "LogoutHandler": "account/logout",
    "WhoAmIHandler": "account/whoami",
    "PermissionHandler": f"account/getpermission?groupid={WID}_Workflow",
    "PermissionsHandler": "account/getpermissions",
    "AdministrationHandler": f"administration/users?groupid={WID}",
    "NotFoundHandler": "account/nothing",
}
# Their rule is that of a function, and the Workflow of these tests has one that anybody may call.
SHOW_PUBLIC_FUNCTIONS = {"OpenApiHandler"}
# There is no group for the set of these tests, so the Workflow's counts: Read reads, Write changes.
SETS = {"MSetHandler", "MChangesHandler", "MEntryHandler", "MHistoryHandler", "MLegacyHandler"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}


# What is said to those whom the rule lets in: done, or why the request makes no sense.
LET_IN = {200, 201, 202, 204, 404, 409, 422}


def expected(rule: Rule | None, method: str, caller: str, *, some_public: bool) -> set[int]:
    """Say which statuses the rule leaves for a caller; written down again, so that the code can't agree with itself."""
    if rule is None:
        return {405}
    if rule is Rule.PUBLIC or (rule is Rule.FUNCTION and some_public):
        return {200, 204, 400, 404, 429}
    if caller in {"anonymous", "wrong key"}:
        return {401}
    changes = method not in {"GET", "HEAD", "OPTIONS"}
    if caller in {"lab from elsewhere", "url elsewhere"} or (caller == "lab without xsrf" and changes):
        return {403}
    return LET_IN if changes else {200}


def request(server: Server, browser: httpx.Client, caller: str, method: str, address: str) -> int:
    """Send one request as one caller and return the status of the answer."""
    in_url = {"_cokey": server.key}
    sent: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {
        "anonymous": ({}, {}, False),
        "key": ({"x-api-key": server.key}, {}, False),
        "url key": ({}, in_url, False),
        "wrong key": ({"x-api-key": "0" * 32}, {"_cokey": "1" * 32}, False),
        "lab": ({"X-XSRFToken": browser.cookies["_xsrf"], "Sec-Fetch-Site": "same-origin"}, {}, True),
        "lab from elsewhere": ({"X-XSRFToken": browser.cookies["_xsrf"], **ELSEWHERE}, {}, True),
        "lab without xsrf": ({}, {}, True),
        "url elsewhere": (ELSEWHERE, in_url, False),
    }
    headers, parameters, with_cookies = sent[caller]
    cookies = dict(browser.cookies) if with_cookies else {}
    url = httpx.URL(server.url + address)
    with (
        httpx.Client(cookies=cookies, timeout=30, trust_env=False) as client,
        client.stream(method, url.copy_merge_params(parameters), headers=headers) as answer,
    ):
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
        return answer.status_code


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
def test_matrix(route: Route, caller: str, server: Server, browser: httpx.Client) -> None:
    """Each method of each route lets in exactly those whom its rule names."""
    some_public = route.handler.__name__ in SHOW_PUBLIC_FUNCTIONS
    for method in METHODS:
        status = request(server, browser, caller, method, ADDRESSES[route.handler.__name__])
        allowed = expected(route.rules.get(method), method, caller, some_public=some_public)
        if "/none" in ADDRESSES[route.handler.__name__]:
            allowed = {404 if answer == 200 else answer for answer in allowed}
        assert status in allowed, f"{method} as {caller} answered {status}, not one of {allowed}"


def expected_of_person(rule: Rule | None, method: str, person: str, handler: str) -> set[int]:
    """Say which statuses the rule leaves for a person who presents a key."""
    if rule is None:
        return {405}
    if rule is Rule.PUBLIC or (rule is Rule.FUNCTION and handler in SHOW_PUBLIC_FUNCTIONS):
        return {200, 204, 400, 404, 429}
    changes = method not in {"GET", "HEAD", "OPTIONS"}
    if person in GONE or not passes(rule, method, person, handler):
        return {401} if person in GONE else {403}
    return LET_IN if changes else {200}


def passes(rule: Rule, method: str, person: str, handler: str) -> bool:
    """Say whether a person has what a rule asks for."""
    level, everywhere = PEOPLE[person]
    if handler == "AdministrationHandler" and method in {"GET", "HEAD"}:
        return level == 2
    needed = {Rule.VIEW: 0, Rule.READ: 1, Rule.WRITE: 2, Rule.FUNCTION: 2}.get(rule, -1)
    if handler in SETS:
        needed = 1 if method in {"GET", "HEAD", "OPTIONS"} else 2
    if level < needed or (rule is Rule.ADMINISTRATOR and everywhere < 2):
        return False
    changes = method not in {"GET", "HEAD", "OPTIONS"}
    if changes and handler in {"MyKeysHandler", "MyKeyHandler"} and "key" in person:
        return False  # a limited key could make one that isn't
    return not (method == "POST" and handler == "GroupsHandler" and everywhere < 2)  # a group at the top


@pytest.fixture(scope="session")
def people(server: Server) -> dict[str, str]:
    """Return a key for every kind of person."""
    api = server.http
    levels = PEOPLE | dict.fromkeys(GONE, (1, -1))
    keys = {}
    for index, (person, (level, everywhere)) in enumerate(levels.items()):
        user = f"person{index}@example.com"
        made = api.post("coflows/api/users", json={"id": user, "first_name": person})
        assert made.status_code == 201, made.text
        wish: dict[str, object] = {"level": level}
        if "key of" in person or "reading key" in person:
            wish = {"level": 2}
        if person == "with an expired membership":
            wish = {"level": 2, "expires": "2026-01-01"}
        assert api.put(f"coflows/api/groups/{WID}/members/{user}", json=wish).status_code == 200
        if everywhere > -1:
            api.put(f"coflows/api/groups/Administrator/members/{user}", json={"level": everywhere})
        key: dict[str, object] = {"user": user}
        if person == "writer's reading key":
            key["scopes"] = [f"workflow:{WID}"]
        if person == "writer's key of Add":
            key["scopes"] = [f"function:{WID}/main/Add"]
        if person == "expired key":
            key["expires"] = "2026-01-01"
        answer = api.post("coflows/api/keys", json=key)
        assert answer.status_code == 201, answer.text
        keys[person] = answer.json()["key"]
        if person == "revoked key":
            api.delete(f"coflows/api/keys/{answer.json()['info']['id']}")
        if person == "closed account":
            api.patch(f"coflows/api/users/{user}", json={"disabled": True})
    return keys


@pytest.mark.parametrize("person", [*PEOPLE, *GONE])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
def test_matrix_of_people(route: Route, person: str, server: Server, people: dict[str, str]) -> None:
    """Each method of each route lets in exactly those people whose level its rule asks for."""
    handler = route.handler.__name__
    address = ADDRESSES[handler]
    for method in METHODS:
        headers = {"x-api-key": people[person]}
        with server.http.stream(method, address, headers=headers) as response:
            status = response.status_code
        allowed = expected_of_person(route.rules.get(method), method, person, handler)
        if "/none" in address:
            allowed = {404 if answer == 200 else answer for answer in allowed}
        assert status in allowed, f"{method} as {person} answered {status}, not one of {allowed}"


def implemented(route: Route) -> set[str]:
    """Return the methods that a handler has code for."""
    missing: Callable[..., None] = RequestHandler._unimplemented_method
    return {method for method in METHODS if getattr(route.handler, method.lower()) is not missing}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
def test_every_method_has_a_rule(route: Route) -> None:
    """A row without a rule, or a method that a handler has and its row does not name, is a mistake."""
    inherited = set() if "GET" in route.rules else {"HEAD"}
    assert implemented(route) - inherited == set(route.rules)
    assert all(isinstance(rule, Rule) for rule in route.rules.values())
    assert route.handler.__name__ in ADDRESSES


def test_routes_stay_below_our_prefixes() -> None:
    """No row claims an address that is Jupyter's or another extension's."""
    starts = tuple(prefix for prefix in PREFIXES)
    for route in ROUTES:
        assert route.pattern.removeprefix("(?i:").lstrip("(?:").startswith(starts)


@pytest.mark.parametrize(
    ("function", "anonymous_status", "key_status"),
    [
        ("Add?x=1&y=2", 401, 200),
        ("Hello", 200, 200),
        ("Writers", 401, 200),
        ("Nobody", 401, 403),
        ("Missing", 401, 404),
    ],
)
def test_functions(
    server: Server, anonymous: httpx.Client, function: str, anonymous_status: int, key_status: int
) -> None:
    """A doc comment's permission decides; without one a key is needed; who is unknown does not learn what exists."""
    assert anonymous.get(f"flow/query/{WID}/main/{function}").status_code == anonymous_status
    assert server.http.get(f"flow/query/{WID}/main/{function}").status_code == key_status


def test_unreadable_documentation_closes(server: Server, anonymous: httpx.Client) -> None:
    """A doc comment that does not parse opens the function to nobody, and is a diagnostic."""
    assert anonymous.get(f"flow/query/{WID}/broken/Closed").status_code == 401
    answer = server.http.get(f"flow/query/{WID}/broken/Closed")
    assert answer.status_code == 403
    assert "doc comment" in answer.json()["detail"]
    found = server.http.get(f"coflows/api/workflows/{WID}").json()["diagnostics"]
    assert [d["code"] for d in found] == ["doc-comment"]


@pytest.mark.parametrize("header", ["x-api-key", "X-API-KEY", "_cokey"])
def test_key_headers(server: Server, anonymous: httpx.Client, header: str) -> None:
    """Both of the original's headers are heard, in any case."""
    assert anonymous.get("coflows/api/me", headers={header: server.key}).json()["source"] == "key"


@pytest.mark.parametrize("scheme", ["token", "Bearer", "BEARER"])
def test_authorization_header(server: Server, anonymous: httpx.Client, scheme: str) -> None:
    """Jupyter's and everybody else's way of sending a token work."""
    answer = anonymous.get("coflows/api/me", headers={"Authorization": f"{scheme} {server.key}"})
    assert answer.json()["source"] == "key"


@pytest.mark.parametrize("name", ["_cokey", "uid"])
def test_key_in_url_is_no_argument(server: Server, anonymous: httpx.Client, name: str) -> None:
    """The key is taken out before arguments are counted, wherever it stands."""
    path = f"flow/query/{WID}/main/Show"
    assert anonymous.get(f"{path}?{name}={server.key}&a=1&b=2").json() == ["1", "2"]
    assert anonymous.get(f"{path}?a=1&{name}={server.key}&b=2").json() == ["1", "2"]
    assert anonymous.get(f"{path}?a=1&{name}={server.key}").json() == ["1"]


def test_reserved_names_of_jupyter_are_ordinary_arguments(server: Server, browser: httpx.Client) -> None:
    """A function may have parameters that Jupyter's own handlers would take for themselves."""
    arguments = {"token": "a", "_xsrf": "b", "uid": "c", "no_track_activity": "d"}
    path = f"flow/query/{WID}/main/Names"
    assert server.http.get(path, params=arguments).json() == arguments
    assert server.http.post(path, json=arguments).json() == arguments
    assert browser.get(path, params=arguments).json() == arguments
    assert browser.post(path, json=arguments).json() == arguments


def test_published_key_is_a_local_header_only(weak_server: Server) -> None:
    """The tutorial's key works in its tutorial's way and opens nothing else."""
    url = weak_server.url
    me = url + "coflows/api/me"
    assert httpx.get(me, headers={"x-api-key": PUBLISHED_KEY}).status_code == 200
    assert httpx.get(me, headers={"Authorization": f"token {PUBLISHED_KEY}"}).status_code == 401
    assert httpx.get(me, headers={"_cokey": PUBLISHED_KEY}).status_code == 401
    assert httpx.get(f"{me}?_cokey={PUBLISHED_KEY}").status_code == 401
    assert httpx.get(f"{url}flow/query/{WID}/main/Add?x=1&y=2&_cokey={PUBLISHED_KEY}").status_code == 401


def test_foreign_host_header_is_refused(server: Server) -> None:
    """A page that rebinds its name to 127.0.0.1 reaches nothing, not even with the key."""
    for path in ("coflows/api/health", f"flow/query/{WID}/main/Hello"):
        assert server.http.get(path, headers={"Host": "elsewhere.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Referer": "https://elsewhere.example/page"},
    ],
)
def test_other_pages_bring_neither_cookie_nor_url_key(
    server: Server, browser: httpx.Client, headers: dict[str, str]
) -> None:
    """What a page of another site can make a browser send does not identify anybody, and the answer says why."""
    for client, url in (
        (browser, "coflows/api/me"),
        (httpx.Client(), f"{server.url}coflows/api/me?_cokey={server.key}"),
    ):
        answer = client.get(url, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.json()["detail"]


def test_own_page_is_let_in(server: Server, browser: httpx.Client) -> None:
    """Lab's own requests carry the same headers with our own name."""
    origin = server.url.rstrip("/")
    for headers in (
        {"Sec-Fetch-Site": "same-origin", "Origin": origin},
        {"Origin": origin},
        {"Referer": origin + "/lab"},
    ):
        assert browser.get("coflows/api/me", headers=headers).json()["source"] == "lab"
