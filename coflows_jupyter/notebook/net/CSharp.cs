// C#: each cell is a submission of Roslyn's, which sees those before it.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace CoFlows.Cells;

sealed class CSharpSession : ISession
{
    static readonly string[] Usings =
    {
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Text", "System.Threading.Tasks",
    };

    // What packages built for an older .NET bring by the dozen, without a place in the cell.
    static readonly Dictionary<string, ReportDiagnostic> Quiet =
        new[] { "CS1701", "CS1702" }.ToDictionary(code => code, _ => ReportDiagnostic.Suppress);

    readonly List<MetadataReference> references;
    readonly List<object?> states = new() { null }; // the first is for globals, which there are none of
    CSharpCompilation? last;

    public CSharpSession(string[] paths) =>
        references = paths.Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToList();

    public Outcome Run(string code, string file)
    {
        var tree = CSharpSyntaxTree.ParseText(
            SourceText.From(code, Encoding.UTF8), new(LanguageVersion.Latest, kind: SourceCodeKind.Script), file);
        var compilation = CSharpCompilation.CreateScriptCompilation(
            $"cell-cs-{states.Count}", tree, references,
            new(OutputKind.DynamicallyLinkedLibrary, usings: Usings, allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Annotations, specificDiagnosticOptions: Quiet), last);
        var (library, symbols) = (new MemoryStream(), new MemoryStream());
        var emitted = compilation.Emit(
            library, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        var findings = emitted.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning)
            .Select(Describe).ToArray();
        if (!emitted.Success)
        {
            return new Outcome { Findings = findings };
        }
        library.Position = symbols.Position = 0;
        var entry = compilation.GetEntryPoint(default)!;
        var method = AssemblyLoadContext.Default.LoadFromStream(library, symbols)
            .GetType(entry.ContainingType.MetadataName)!
            .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        last = compilation;
        var all = states.Append(null).ToArray();
        try
        {
            var value = method.CreateDelegate<Func<object?[], Task<object>>>()(all).GetAwaiter().GetResult();
            return new Outcome { Ok = true, Findings = findings, Value = value };
        }
        finally
        {
            states.Add(all[^1]); // which the submission has put there, also when it throws
        }
    }

    public void Put(string name, object? value)
    {
        Session.Set(name, value);
        var type = Session.Spelled(value);
        var outcome = Run($"{type} {name} = ({type})CoFlows.Cells.Session.Get(\"{name}\");", "Python");
        if (!outcome.Ok)
        {
            Run($"dynamic {name} = CoFlows.Cells.Session.Get(\"{name}\");", "Python");
        }
    }

    public Dictionary<string, object?> Names()
    {
        const BindingFlags own =
            BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic
            | BindingFlags.DeclaredOnly;
        var found = new Dictionary<string, object?>();
        foreach (var state in states.Where(state => state is not null))
        {
            foreach (var method in state!.GetType().GetMethods(own).Where(m => !m.IsSpecialName))
            {
                if (!method.Name.Contains('<') && Session.Callable(method, state) is { } callable)
                {
                    found[method.Name] = callable;
                }
            }
            foreach (var field in state.GetType().GetFields(own).Where(f => !f.Name.Contains('<')))
            {
                found[field.Name] = field.GetValue(state);
            }
        }
        return found;
    }

    static Finding Describe(Diagnostic diagnostic)
    {
        var place = diagnostic.Location.GetLineSpan().StartLinePosition;
        var severity = diagnostic.Severity == DiagnosticSeverity.Error ? "error" : "warning";
        return new(place.Line + 1, place.Character + 1, severity, diagnostic.Id, diagnostic.GetMessage());
    }
}
