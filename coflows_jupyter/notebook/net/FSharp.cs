// F#: a session of its own interactive compiler, asked by reflection because its signatures differ between versions.

using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;

namespace CoFlows.Cells;

sealed class FSharpSession : ISession
{
    static readonly string[] Words =
    {
        "fsi.exe", "--noninteractive", "--nologo", "--gui-", "--noframework", "--targetprofile:netcore", "--optimize-",
        "--debug:portable", "--readline-", "--multiemit-", // one library for all cells: they have one name
    };

    static readonly Regex Let = new(@"^let\s+(?:rec\s+|inline\s+)*(\w+)\s+[^=:\s]", RegexOptions.Multiline);

    readonly object session;
    readonly MethodInfo run;
    readonly MethodInfo evaluate;
    readonly Dictionary<string, object?> functions = new(); // which are no values to the session

    public FSharpSession(string[] references)
    {
        var type = Assembly.Load("FSharp.Compiler.Service").GetType(
            "FSharp.Compiler.Interactive.Shell+FsiEvaluationSession", throwOnError: true)!;
        var settings = type.GetMethod("GetDefaultConfiguration", Type.EmptyTypes)!.Invoke(null, null);
        var create = type.GetMethod("Create")!;
        object?[] given =
        {
            settings, Words.Concat(references.Select(path => $"-r:{path}")).ToArray(), new StringReader(""),
            TextWriter.Null, TextWriter.Null,
        };
        session = create.Invoke(null, Padded(given, create))!;
        evaluate = type.GetMethod("EvalExpressionNonThrowing", new[] { typeof(string) })!;
        run = type.GetMethods().Single(m => m.Name == "EvalInteractionNonThrowing" && m.GetParameters().Length == 3);
    }

    public Outcome Run(string code, string file)
    {
        var result = run.Invoke(session, new object?[] { code, $"{file}.fsx", null })!;
        var findings = ((IEnumerable)Get(result, "Item2")!).Cast<object>().Select(Describe)
            .Where(finding => finding.Severity is "error" or "warning").ToArray();
        var choice = Get(result, "Item1")!;
        if (Get(choice, "Item") is Exception error)
        {
            if (findings.Any(finding => finding.Severity == "error"))
            {
                return new Outcome { Findings = findings };
            }
            ExceptionDispatchInfo.Throw(error);
        }
        foreach (Match match in Let.Matches(code))
        {
            var name = match.Groups[1].Value;
            functions[name] = Value(Get(evaluate.Invoke(session, new object[] { name })!, "Item1")!);
        }
        return new Outcome { Ok = true, Findings = findings, Value = Value(choice) };
    }

    public void Put(string name, object? value)
    {
        Session.Set(name, value);
        var type = Session.Spelled(value).Replace("global::", "global.");
        var kept = $"CoFlows.Cells.Session.Get \"{name}\"";
        if (type == "dynamic" || !Run($"let mutable {name} = unbox<{type}> ({kept})", "Python").Ok)
        {
            Run($"let mutable {name} = {kept}", "Python");
        }
    }

    public Dictionary<string, object?> Names()
    {
        var bound = (IEnumerable)session.GetType().GetMethod("GetBoundValues")!.Invoke(session, null)!;
        var found = functions.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var one in bound)
        {
            var name = (string)Get(one, "Name")!;
            if (name != "it")
            {
                found[name] = Get(Get(one, "Value")!, "ReflectionValue");
            }
        }
        return found;
    }

    static object?[] Padded(object?[] given, MethodBase method) =>
        given.Concat(new object?[method.GetParameters().Length - given.Length]).ToArray();

    // Of a choice between an option of a value and an exception.
    static object? Value(object choice) => Get(choice, "Item") is { } option and not Exception
        ? Get(Get(option, "Value")!, "ReflectionValue")
        : null;

    static object? Get(object value, string name) => value.GetType().GetProperty(name)!.GetValue(value);

    static Finding Describe(object diagnostic) => new(
        (int)Get(diagnostic, "StartLine")!, (int)Get(diagnostic, "StartColumn")! + 1,
        Get(diagnostic, "Severity")!.ToString()!.ToLowerInvariant(), (string)Get(diagnostic, "ErrorNumberText")!,
        (string)Get(diagnostic, "Message")!);
}
