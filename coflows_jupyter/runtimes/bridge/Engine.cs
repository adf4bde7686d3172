// What code of the original finds in `QuantApp.Engine`: how it declares an Agent.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using CoFlows.Host;
using QuantApp.Kernel;

namespace QuantApp.Engine
{
    /// <summary>Takes the values of a set.</summary>
    public delegate void Load(object[] data);

    /// <summary>Takes the text of a message and returns the answer.</summary>
    public delegate object? Body(object data);

    /// <summary>Takes the time of a tick, and the type that the schedule names.</summary>
    public delegate void Job(DateTime date, string command);

    /// <summary>A message to an Agent: what is wanted, and with what.</summary>
    public record FunctionType(string Function, object? Data);

    /// <summary>The table of functions by name.</summary>
    public class Utils
    {
        static readonly ConcurrentDictionary<string, Delegate> Functions = new();

        Utils()
        {
        }

        /// <summary>Gives a function a name and returns that, to be passed to <see cref="FPKG"/>.</summary>
        public static string SetFunction(string name, Delegate function)
        {
            Functions[name] = function;
            return name;
        }

        public static Delegate? GetFunction(string name) => Functions.GetValueOrDefault(name);
    }

    /// <summary>An Agent as code of the original describes it.</summary>
    public class FPKG(
        string? id, string workflowID, string name, string? description, string? mid, string? load, string? add,
        string? exchange, string? remove, string? body, string? scheduleCommand, string? job)
    {
        public string? ID { get; } = id;
        public string WorkflowID { get; } = workflowID;
        public string Name { get; } = name;
        public string? Description { get; } = description;
        public string? MID { get; } = mid;
        public string? Load { get; } = load;
        public string? Add { get; } = add;
        public string? Exchange { get; } = exchange;
        public string? Remove { get; } = remove;
        public string? Body { get; } = body;
        public string? ScheduleCommand { get; } = scheduleCommand;
        public string? Job { get; } = job;
    }
}

namespace CoFlows.Host
{
    using QuantApp.Engine;

    /// <summary>What a host is told of an Agent; its functions are numbers that it calls.</summary>
    public sealed record Declared(
        string? Id, string Name, string? Description, string? Schedule, string? Listens, Dictionary<string, int> Functions);

    public static class Agents
    {
        /// <summary>Calls the function of a library that declares an Agent.</summary>
        public static Declared Declare(Assembly assembly, string exe, Func<Bound, int> register)
        {
            var makes = Surface.Functions(assembly)
                .FirstOrDefault(method => method.Name == exe && method.GetParameters().Length == 0)
                ?? throw new InvalidOperationException($"there is no function {exe}() that returns an FPKG");
            var made = MethodInvoker.Create(makes).Invoke(null);
            if (made is not FPKG agent)
            {
                throw new InvalidOperationException($"{exe}() returned {made?.GetType().Name ?? "null"} and no FPKG");
            }
            var functions = new Dictionary<string, int>();
            var named = new[]
            {
                ("load", agent.Load), ("add", agent.Add), ("exchange", agent.Exchange), ("remove", agent.Remove),
                ("body", agent.Body), ("job", agent.Job),
            };
            foreach (var (callback, name) in named.Where(pair => !string.IsNullOrEmpty(pair.Item2)))
            {
                var function = Utils.GetFunction(name!) ?? throw new InvalidOperationException(
                    $"{callback} is {name}, a name that Utils.SetFunction gave to no function");
                functions[callback] = register(new Bound(function));
            }
            return new(agent.ID, agent.Name, agent.Description, agent.ScheduleCommand, agent.MID, functions);
        }
    }
}
