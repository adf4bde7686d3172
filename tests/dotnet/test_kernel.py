"""M sets, callers and Agents from C#, Visual Basic and F#, in the original's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from coflows_jupyter.build.assemble import assemble
from coflows_jupyter.build.model import part
from coflows_jupyter.build.prepare import prepared
from coflows_jupyter.errors import FunctionError
from coflows_jupyter.host.process import ProcessHost
from coflows_jupyter.host.protocol import Call, new_run_id
from coflows_jupyter.mset.place import database_of
from tests.flows import CALLER, Flow

QUERY = """
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using System.Threading.Tasks;
    using QuantApp.Kernel;

    public record Trade(string Name, double Price);

    public static class Q
    {
        public static List<object> Sets()
        {
            var set = M.Base("trades");
            set += new Trade("a", 1.5);
            set += new Trade("b", 2.5);
            var again = set.Add(new Trade("a", 1.5));
            set.Exchange(new Trade("a", 1.5), new Trade("a", 3));
            set -= new Trade("b", 2.5);
            set.Save();
            return new() { again, set[x => M.V<double>(x, "Price") > 1], set.KeyValues().Count,
                M.V<string>("{\\"x\\":1}", "y"), M.C<Trade>(set[x => true].Single()).Price };
        }

        public static async Task<string> Elsewhere()
        {
            await Task.Run(() => M.Base("elsewhere").Add("from a task"));
            return User.ContextUser.ID;
        }

        public static string Who() => User.ContextUser.ID + " " + User.PermissionContext("nobody's");
        public static string Java() => JVM.Runtime.CreateInstance("java.lang.Object").ToString();
    }
"""
PYTHON = """
    from coflows_jupyter import M

    def sets() -> list:
        return sorted(M.Base("trades"), key=str) + list(M.Base("elsewhere"))
"""
CS_AGENT = """
    using System;
    using QuantApp.Engine;
    using QuantApp.Kernel;

    public class CsAgent
    {
        public static FPKG pkg() => new FPKG(
            "$WID$-CsAgent", "$WID$", "C# Agent", "A sample", "prices",
            Utils.SetFunction("Load", new Load((object[] data) => { Console.WriteLine($"{data.Length} loaded"); })),
            Utils.SetFunction("Add", new MCallback((string id, object data) => { Console.WriteLine($"{id} {data}"); })),
            null, null,
            Utils.SetFunction("Body", new Body((object data) => { return data; })),
            "0 * * ? * *",
            Utils.SetFunction("Job", new Job((DateTime date, string command) =>
            {
                Console.WriteLine($"{date:s} {command}");
            }))
        );
    }
"""
FS_AGENT = """
    module FsAgent

    open System
    open QuantApp.Kernel
    open QuantApp.Engine

    let workspaceID = "$WID$"
    let pkg(): FPKG =
        {
            ID = workspaceID + "-FsAgent" |> Some
            WorkflowID = workspaceID |> Some
            Code = None
            Name = "F# Agent"
            Description = "F# Agent Sample" |> Some
            MID = None
            Load = (fun data -> ()) |> Utils.Load("$ID$-Load") |> Some
            Add = (fun id data -> ()) |> Utils.Callback("$ID$-Add") |> Some
            Exchange = None
            Remove = None
            Body = (fun data -> data) |> Utils.Body("$ID$-Body") |> Some
            ScheduleCommand = "0 * * ? * *" |> Some
            Job =
                (fun (date: DateTime) command -> printfn "%s %s" (date.ToString "s") command)
                |> Utils.Job("$ID$-Job") |> Some
        }
        |> F.ToFPKG
"""
VB_AGENT = """
    Imports QuantApp.Engine
    Imports QuantApp.Kernel

    Public Class VbAgent
        Public Shared Sub Work([date] As DateTime, command As String)
            Console.WriteLine([date].ToString("s") & " " & command)
        End Sub

        Public Shared Function Answer(data As Object) As Object
            Return data
        End Function

        Public Shared Function pkg() As FPKG
            Return New FPKG("$WID$-VbAgent", "$WID$", "VB Agent", "A sample",
                Nothing, Nothing, Nothing, Nothing, Nothing,
                Utils.SetFunction("Body", New Body(AddressOf Answer)), "0 * * ? * *",
                Utils.SetFunction("Job", New Job(AddressOf Work)))
        End Function
    End Class
"""


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A Workflow with an Agent in each language."""
    made = Flow(
        tmp_path_factory.mktemp("kernel"),
        Queries__cs__cs=QUERY,
        Queries__py__py=PYTHON,
        Agents__CsAgent__cs=CS_AGENT,
        Agents__FsAgent__fs=FS_AGENT,
        Agents__VbAgent__vb=VB_AGENT,
    )
    report = made.open()
    try:
        assert report.ok, [str(d) for d in report.diagnostics]
        yield made
    finally:
        made.close()


def test_sets(flow: Flow) -> None:
    """C# and Python see the same sets; a value is kept once, exchanged, removed, found by a predicate and converted."""
    trade = {"Name": "a", "Price": 3.0}

    assert flow.json("cs", "Sets") == [None, [trade], 1, "", 3.0]
    assert flow.answer("cs", "Elsewhere") == b'"root"'
    assert flow.json("py", "sets") == [trade, "from a task"]


def test_callers(flow: Flow) -> None:
    """C# knows who calls and what they may; what this version has not is said."""
    assert flow.answer("cs", "Who").startswith(b'"root ')
    with pytest.raises(FunctionError, match="runs no Java"):
        flow.answer("cs", "Java")


def test_agents(flow: Flow) -> None:
    """Agents in three languages are declared as the original's samples do, and their functions are called."""
    build = prepared(assemble(flow.folder / "package.json"))
    assert build is not None
    printed: list[str] = []

    async def work() -> dict[str, Any]:
        host = ProcessHost(
            "agents", lambda _, __, text: printed.append(text), print, database=database_of(flow.engine.config)
        )
        await host.start()
        try:
            loaded = await host.load(part(build, "agent"))
            assert loaded.complete, loaded.diagnostics
            for agent in loaded.catalog.agents:
                for callback, given in (("job", ["2024-01-02T03:04:05", "All"]), ("body", ["hello"])):
                    data = json.dumps(given).encode()
                    result = await host.call(Call(new_run_id(), agent, callback, "json", data, "", CALLER, 30))
                    assert callback == "job" or result.body == b'"hello"'
            data = json.dumps(["id", {"price": 1}]).encode()
            await host.call(Call(new_run_id(), "wid-CsAgent", "add", "json", data, "", CALLER, 30))
            data = json.dumps([[1, 2, 3]]).encode()
            await host.call(Call(new_run_id(), "wid-CsAgent", "load", "json", data, "", CALLER, 30))
            return loaded.catalog.agents
        finally:
            await host.close(0)

    agents = flow.run(work())

    assert {entry: agent.schedule for entry, agent in agents.items()} == dict.fromkeys(
        ("wid-CsAgent", "wid-FsAgent", "wid-VbAgent"), "0 * * ? * *"
    )
    cs = agents["wid-CsAgent"]
    assert (cs.name, cs.description, cs.listens) == ("C# Agent", "A sample", "prices")
    assert set(cs.callbacks) == {"load", "add", "body", "job"}
    assert "".join(printed).count("2024-01-02T03:04:05 All") == len(agents)
    assert "3 loaded" in "".join(printed)
