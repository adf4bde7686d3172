// What F# code of the original finds in `QuantApp.Engine` beside what all languages do: Agents as records, and functions
// that are given their names at the end of a pipe.

namespace QuantApp.Engine

open System
open QuantApp.Kernel

/// An Agent, with `None` for what it does not have.
type F_v01 =
    { ID: string option
      WorkflowID: string option
      Code: (string * string) list option
      Name: string
      Description: string option
      MID: string option
      Load: string option
      Add: string option
      Exchange: string option
      Remove: string option
      Body: string option
      ScheduleCommand: string option
      Job: string option }

[<AbstractClass; Sealed>]
type F =
    /// Makes of the record what all languages declare.
    static member ToFPKG(agent: F_v01) : FPKG =
        let text = Option.toObj
        FPKG(text agent.ID, text agent.WorkflowID, agent.Name, text agent.Description, text agent.MID, text agent.Load,
             text agent.Add, text agent.Exchange, text agent.Remove, text agent.Body, text agent.ScheduleCommand,
             text agent.Job)

[<AutoOpen>]
module Pipes =
    type Utils with
        static member Load(name: string) = fun (f: obj[] -> unit) -> Utils.SetFunction(name, Load(f))

        static member Callback(name: string) =
            fun (f: string -> obj -> unit) -> Utils.SetFunction(name, MCallback(fun id data -> f id data))

        static member Body(name: string) = fun (f: obj -> obj) -> Utils.SetFunction(name, Body(f))

        static member Job(name: string) =
            fun (f: DateTime -> string -> unit) -> Utils.SetFunction(name, Job(fun date command -> f date command))
