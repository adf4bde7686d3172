"""The route table: every URL of ours, and for each of its methods what a caller needs.

Nothing else registers a handler, and a method that a row does not name does not exist. Functions of users are no
rows: one row leads to the catalog, which a Build replaces as a whole.
"""

from __future__ import annotations

from typing import Any

from coflows_jupyter.access.records import Group, User
from coflows_jupyter.deploy.certificates.status import CertificateStatus
from coflows_jupyter.runs.model import RunModel
from coflows_jupyter.server import azure
from coflows_jupyter.server.account import (
    LoginHandler,
    LogoutHandler,
    PermissionHandler,
    PermissionsHandler,
    TokenHandler,
    WhoAmIHandler,
)
from coflows_jupyter.server.administration import AdministrationHandler
from coflows_jupyter.server.agents import (
    AgentActionHandler,
    AgentCancelHandler,
    AgentExplainHandler,
    AgentList,
    AgentNotebookHandler,
    AgentRuns,
    AgentRunsHandler,
    AgentSendHandler,
    AgentsHandler,
    Explanation,
    LegacyAgentHandler,
    Preview,
    ScheduleHandler,
)
from coflows_jupyter.server.api import BuildHandler, QueriesHandler, WorkflowHandler, WorkflowsHandler
from coflows_jupyter.server.authoring import NewWorkflowHandler, SchemaHandler, SourcesHandler, ValidateHandler
from coflows_jupyter.server.base import BaseHandler
from coflows_jupyter.server.certificates import CertificateHandler
from coflows_jupyter.server.cloud import (
    CloudBuildHandler,
    CloudDeployHandler,
    CloudHandlerOfOne,
    CloudList,
    CloudLogHandler,
    CloudQueryHandler,
    CloudRestartHandler,
    CloudRollbackHandler,
    CloudsHandler,
    CloudStatus,
)
from coflows_jupyter.server.describe import DescribeHandler
from coflows_jupyter.server.events import EventsHandler
from coflows_jupyter.server.groups import GroupHandler, GroupsHandler, MemberHandler, MembersHandler
from coflows_jupyter.server.health import Health, HealthHandler, Readiness, ReadyHandler
from coflows_jupyter.server.metrics import MetricsHandler
from coflows_jupyter.server.models import (
    AuditList,
    Findings,
    Folder,
    GroupList,
    KeyList,
    MContents,
    Me,
    MemberList,
    MHistory,
    MPage,
    MSetList,
    QueryList,
    Report,
    RunList,
    SecretList,
    SecretWish,
    Source,
    UserList,
    WorkflowList,
    WorkflowStatus,
)
from coflows_jupyter.server.msets import MEntryHandler, MHistoryHandler, MLegacyHandler, MSetHandler, MSetsHandler
from coflows_jupyter.server.mstream import MChangesHandler
from coflows_jupyter.server.notebooks import NotebookJobs, NotebookJobsHandler
from coflows_jupyter.server.notfound import NotFoundHandler
from coflows_jupyter.server.openapi import OpenApiHandler
from coflows_jupyter.server.original import PackageHandler, ServicedHandler, ToggleHandler, ZipHandler
from coflows_jupyter.server.original_queries import CreateQueryHandler, RemoveQueryHandler
from coflows_jupyter.server.people import (
    AuditHandler,
    KeyHandler,
    KeysHandler,
    MeHandler,
    MyKeyHandler,
    MyKeysHandler,
    MyNameHandler,
    MyPasswordHandler,
    UserHandler,
    UsersHandler,
)
from coflows_jupyter.server.queries import LegacyHandler, QueryHandler
from coflows_jupyter.server.route import Route, api
from coflows_jupyter.server.rules import Rule
from coflows_jupyter.server.runs import (
    RunCancelHandler,
    RunEventsHandler,
    RunHandler,
    RunLogHandler,
    RunRerunHandler,
    RunResultHandler,
    RunsHandler,
)
from coflows_jupyter.server.secrets import SecretHandler, SecretsHandler
from coflows_jupyter.server.services import Services
from coflows_jupyter.server.tryit import TryItAssetHandler, TryItHandler

PREFIXES = ("flow", "m", "account", "administration", "connect", "live", "coflows")


_M = "coflows/api/m/{name}"
_NOTHING = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), Rule.PUBLIC)
_ADMINISTER = dict.fromkeys(("GET", "POST"), Rule.ADMINISTRATOR)
_GROUP = "coflows/api/groups/{group}"
_WORKFLOW = "coflows/api/workflows/{workflow}"
_RUN = "coflows/api/runs/{run}"
_CLOUD = "coflows/api/cloud/{workflow}"
_AGENT = _WORKFLOW + "/agents/{agent}"

ROUTES = (
    # The first row is the one that is asked for most. The original's paths are matched in any case, as it does.
    Route(
        r"(?i:flow/query)/(?P<workflow>[^/]+)/(?P<query>[^/]+)/(?P<function>[^/]+)(?:/.*)?",
        QueryHandler,
        {"GET": Rule.FUNCTION, "POST": Rule.FUNCTION},
    ),
    Route(r"(?i:(?:flow|m)/(?:getquery|getwb))", LegacyHandler, {"GET": Rule.FUNCTION}),
    Route(r"(?i:flow/agent)/(?P<agent>[^/]+)/?", LegacyAgentHandler, {"POST": Rule.READ}),
    Route(
        r"(?i:flow/openapi)/(?P<workflow>[^/]+?)(?:/(?P<query>[^/]+?))?(?P<suffix>\.json|\.yaml)?/?",
        OpenApiHandler,
        {"GET": Rule.FUNCTION},
    ),
    Route(r"(?i:flow/docs)/(?P<workflow>[^/]+)(?:/(?P<query>[^/]+))?/?", TryItHandler, {"GET": Rule.PUBLIC}),
    Route(r"(?i:flow/docs)/(?P<workflow>[^/]+)/assets/(?P<name>[^/]+)", TryItAssetHandler, {"GET": Rule.PUBLIC}),
    api("coflows/api/health", HealthHandler, {"GET": Rule.PUBLIC}, "Answer while the process lives.", Health),
    api("coflows/api/ready", ReadyHandler, {"GET": Rule.PUBLIC}, "Say whether every Workflow serves.", Readiness),
    api("coflows/api/openapi", DescribeHandler, {"GET": Rule.PUBLIC}, "Describe this API."),
    api(
        "coflows/api/certificate",
        CertificateHandler,
        {"GET": Rule.IDENTIFIED, "POST": Rule.ADMINISTRATOR},
        "Say how the server proves who it is; ask for a new certificate.",
        CertificateStatus,
    ),
    api("coflows/api/me", MeHandler, {"GET": Rule.IDENTIFIED}, "Say who the caller is.", Me),
    api(
        "coflows/api/workflows",
        WorkflowsHandler,
        {"GET": Rule.IDENTIFIED},
        "List the Workflows that the caller may view.",
        WorkflowList,
    ),
    api(_WORKFLOW, WorkflowHandler, {"GET": Rule.VIEW}, "Describe a Workflow.", WorkflowStatus),
    api(_WORKFLOW + "/build", BuildHandler, {"POST": Rule.WRITE}, "Build from what is on disk.", Report),
    api(
        _WORKFLOW + "/queries",
        QueriesHandler,
        {"GET": Rule.VIEW},
        "List Queries, their functions and the parameters of these.",
        QueryList,
    ),
    api(
        _WORKFLOW + "/validate",
        ValidateHandler,
        {"POST": Rule.WRITE},
        "Say what is wrong with an unsaved text of coflows_config.json or package.json.",
        Findings,
    ),
    api(
        _WORKFLOW + "/sources",
        SourcesHandler,
        {"POST": Rule.WRITE},
        "Add a new file, or one that is there, to Queries or Base.",
        Source,
    ),
    api(
        "coflows/api/templates/workflow",
        NewWorkflowHandler,
        {"POST": Rule.ADMINISTRATOR},
        "Make a Workflow in a folder below Lab's root.",
        Folder,
    ),
    api(_WORKFLOW + "/agents", AgentsHandler, {"GET": Rule.VIEW}, "List Agents.", AgentList),
    api(_WORKFLOW + "/agent-runs", AgentRunsHandler, {"GET": Rule.VIEW}, "List runs of Agents.", AgentRuns),
    api(
        _WORKFLOW + "/agent-runs/{run}/cancel",
        AgentCancelHandler,
        {"POST": Rule.WRITE},
        "Stop a run of an Agent.",
        AgentRuns,
    ),
    api(
        _WORKFLOW + "/agent-runs/{run}/notebook",
        AgentNotebookHandler,
        {"GET": Rule.READ},
        "Answer with the executed copy of a notebook.",
    ),
    api(
        _WORKFLOW + "/notebook-jobs",
        NotebookJobsHandler,
        dict.fromkeys(("GET", "POST", "DELETE"), Rule.WRITE),
        "Say, change or end when a notebook runs, and with what.",
        NotebookJobs,
    ),
    api(
        _AGENT + "/explain",
        AgentExplainHandler,
        {"GET": Rule.VIEW},
        "Say why an Agent did or did not run at a time.",
        Explanation,
    ),
    api(_AGENT + "/send", AgentSendHandler, {"POST": Rule.READ}, "Give an Agent a message."),
    api(
        _AGENT + "/{action}",
        AgentActionHandler,
        {"POST": Rule.WRITE},
        "Start, pause or stop an Agent, or run its job: now, or for ticks that it did not run for.",
    ),
    api(
        "coflows/api/cloud",
        CloudsHandler,
        {"GET": Rule.IDENTIFIED},
        "List Workflows that the caller may deploy.",
        CloudList,
    ),
    api(
        _CLOUD,
        CloudHandlerOfOne,
        {"GET": Rule.WRITE, "DELETE": Rule.WRITE},
        "Say what serves and what did, or let a Workflow serve no more.",
        CloudStatus,
    ),
    api(_CLOUD + "/deploy", CloudDeployHandler, {"POST": Rule.WRITE}, "Take a bundle, and let it serve if it builds."),
    api(_CLOUD + "/build", CloudBuildHandler, {"POST": Rule.WRITE}, "Take a bundle and build it, no more."),
    api(_CLOUD + "/query", CloudQueryHandler, {"POST": Rule.WRITE}, "Take a bundle and call a function of it."),
    api(_CLOUD + "/rollback", CloudRollbackHandler, {"POST": Rule.WRITE}, "Let an earlier revision serve again."),
    api(_CLOUD + "/restart", CloudRestartHandler, {"POST": Rule.WRITE}, "Let new hosts take over."),
    api(_CLOUD + "/log", CloudLogHandler, {"GET": Rule.WRITE}, "Say what a Workflow did and printed lately."),
    *azure.ROUTES,
    api("coflows/api/schedule", ScheduleHandler, {"POST": Rule.IDENTIFIED}, "Say what a schedule means.", Preview),
    api("coflows/api/schemas/{name}", SchemaHandler, {"GET": Rule.PUBLIC}, "Answer with the JSON Schema of a file."),
    api(
        "coflows/api/events",
        EventsHandler,
        {"GET": Rule.IDENTIFIED},
        "Stream what happens to Workflows as server-sent events.",
    ),
    api("coflows/api/m", MSetsHandler, {"GET": Rule.IDENTIFIED}, "List the M sets that the caller may read.", MSetList),
    api(
        _M,
        MSetHandler,
        dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), Rule.IDENTIFIED),
        "Read entries of an M set, add one, make changes in one transaction, or remove all.",
        MContents,
    ),
    api(
        "coflows/api/m-changes/{name}",
        MChangesHandler,
        {"GET": Rule.IDENTIFIED},
        "Say what happens to an M set: as JSON, as server-sent events or over a WebSocket.",
        MPage,
    ),
    api(
        _M + "/{entry}",
        MEntryHandler,
        dict.fromkeys(("GET", "PUT", "DELETE"), Rule.IDENTIFIED),
        "Read, put or remove one entry; If-Match takes the ETag of the value that must be there.",
    ),
    api(
        _M + "/{entry}/history",
        MHistoryHandler,
        {"GET": Rule.IDENTIFIED},
        "Say what happened to an entry.",
        MHistory,
    ),
    Route(r"(?i:m)/(?P<action>(?i:data|rawdata|save))", MLegacyHandler, {"GET": Rule.IDENTIFIED}),
    api(
        "coflows/api/runs",
        RunsHandler,
        {"GET": Rule.IDENTIFIED},
        "List runs, the latest first: the caller's own, or all of a Workflow for those with Write.",
        RunList,
    ),
    api(_RUN, RunHandler, {"GET": Rule.IDENTIFIED}, "Describe a run.", RunModel),
    api(_RUN + "/log", RunLogHandler, {"GET": Rule.IDENTIFIED}, "Answer what a run printed and logged."),
    api(_RUN + "/result", RunResultHandler, {"GET": Rule.IDENTIFIED}, "Answer as the call of a run would have."),
    api(_RUN + "/events", RunEventsHandler, {"GET": Rule.IDENTIFIED}, "Stream what a run logs, its progress, its end."),
    api(_RUN + "/cancel", RunCancelHandler, {"POST": Rule.IDENTIFIED}, "Ask a run to stop.", RunModel),
    api(_RUN + "/rerun", RunRerunHandler, {"POST": Rule.IDENTIFIED}, "Call again with the same arguments."),
    api(_WORKFLOW + "/secrets", SecretsHandler, {"GET": Rule.WRITE}, "List the names of secrets.", SecretList),
    api(
        _WORKFLOW + "/secrets/{name}",
        SecretHandler,
        {"GET": Rule.WRITE, "PUT": Rule.WRITE, "DELETE": Rule.WRITE},
        "Tell, set or delete a secret.",
        SecretWish,
    ),
    api(
        "coflows/api/me/keys",
        MyKeysHandler,
        {"GET": Rule.IDENTIFIED, "POST": Rule.IDENTIFIED},
        "List one's own keys; make one.",
        KeyList,
    ),
    api("coflows/api/me/keys/{key}", MyKeyHandler, {"DELETE": Rule.IDENTIFIED}, "Revoke one of one's own keys."),
    api("coflows/api/me/name", MyNameHandler, {"PUT": Rule.IDENTIFIED}, "Say what one is called."),
    api("coflows/api/me/password", MyPasswordHandler, {"POST": Rule.IDENTIFIED}, "Give oneself a new password."),
    api("coflows/api/users", UsersHandler, _ADMINISTER, "List accounts; make one.", UserList),
    api(
        "coflows/api/users/{user}",
        UserHandler,
        dict.fromkeys(("GET", "PATCH", "DELETE"), Rule.ADMINISTRATOR),
        "Describe, change or delete an account.",
        User,
    ),
    api("coflows/api/keys", KeysHandler, _ADMINISTER, "List everybody's keys; make one for somebody.", KeyList),
    api("coflows/api/keys/{key}", KeyHandler, {"DELETE": Rule.ADMINISTRATOR}, "Revoke a key."),
    api("coflows/api/audit", AuditHandler, {"GET": Rule.ADMINISTRATOR}, "List what was done.", AuditList),
    api(
        "coflows/api/groups",
        GroupsHandler,
        {"GET": Rule.IDENTIFIED, "POST": Rule.IDENTIFIED},
        "List the groups that the caller may view; make one below a group on which the caller has Write.",
        GroupList,
    ),
    api(
        _GROUP,
        GroupHandler,
        {"GET": Rule.VIEW, "PATCH": Rule.WRITE, "DELETE": Rule.WRITE},
        "Describe, change or delete a group.",
        Group,
    ),
    api(_GROUP + "/members", MembersHandler, {"GET": Rule.WRITE}, "List who is in a group.", MemberList),
    api(
        _GROUP + "/members/{user}",
        MemberHandler,
        {"PUT": Rule.WRITE, "DELETE": Rule.WRITE},
        "Give a person a level in a group; take them out of it.",
    ),
    # These are about the Workflow that the body or the query string names; the handlers ask for Write on it.
    Route("(?i:flow)/(?P<action>(?i:createworkflow|compileworkflow))/?", PackageHandler, {"POST": Rule.IDENTIFIED}),
    Route("(?i:flow/createquery)/?", CreateQueryHandler, {"POST": Rule.IDENTIFIED}),
    Route("(?i:flow/removequery)/?", RemoveQueryHandler, {"POST": Rule.IDENTIFIED}),
    Route("(?i:flow/getzipfromworkflow)/?", ZipHandler, {"GET": Rule.WRITE}),
    Route("(?i:flow/servicedworkflows)/?", ServicedHandler, {"GET": Rule.IDENTIFIED}),
    Route("(?i:flow/activeagenttoggle)/?", ToggleHandler, {"GET": Rule.IDENTIFIED}),
    Route("(?i:connect/token)", TokenHandler, {"POST": Rule.PUBLIC}),
    Route("(?i:account/login)", LoginHandler, {"POST": Rule.PUBLIC}),
    Route("(?i:account/logout)", LogoutHandler, {"GET": Rule.IDENTIFIED, "POST": Rule.IDENTIFIED}),
    Route("(?i:account/whoami)", WhoAmIHandler, {"GET": Rule.IDENTIFIED}),
    Route("(?i:account/getpermission)", PermissionHandler, {"GET": Rule.IDENTIFIED}),
    Route("(?i:account/getpermissions)", PermissionsHandler, {"GET": Rule.IDENTIFIED}),
    # The handler asks for Write in the group that the request is about.
    Route(
        "(?i:administration)/(?P<action>[^/]+)",
        AdministrationHandler,
        {"GET": Rule.IDENTIFIED, "POST": Rule.IDENTIFIED},
    ),
    Route(
        rf"(?i:{'|'.join(PREFIXES)})(?:/.*)?",
        NotFoundHandler,
        _NOTHING,
    ),
)
# Without Lab, what Jupyter itself would answer is not there either.
# The handler asks for more where Jupyter is configured so.
METRICS = Route("metrics", MetricsHandler, {"GET": Rule.PUBLIC})
NOTHING_ELSE = Route("(?!log(?:in|out)$).*", NotFoundHandler, _NOTHING)


def handlers(services: Services, *, alone: bool) -> list[tuple[str, type[BaseHandler], dict[str, Any]]]:
    """Return what Jupyter Server adds to its application.

    Args:
        services: what handlers share.
        alone: whether nothing but our routes is to be served.
    """
    routes = (*ROUTES, METRICS, NOTHING_ELSE) if alone else ROUTES
    for route in routes:
        for method in route.rules:
            # Jupyter warns of verbs that none of its decorators guards; these are guarded by their rows.
            setattr(getattr(route.handler, method.lower()), "__allow_unauthenticated", True)
    return [(route.pattern, route.handler, {"services": services, "route": route}) for route in routes]
