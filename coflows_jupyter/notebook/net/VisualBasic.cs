// Visual Basic, which Roslyn has no submissions of: each cell is a library. Its statements run in a function, names
// that they declare with Dim live with those of all cells, and functions are compiled into every cell that comes after.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.Loader;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using Microsoft.CodeAnalysis.VisualBasic;

namespace CoFlows.Cells;

sealed class VisualBasicSession : ISession
{
    static readonly GlobalImport[] Usual = GlobalImport.Parse(
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Text", "System.Threading.Tasks",
        "Microsoft.VisualBasic").ToArray();

    static readonly Regex Opening = new(
        @"^\s*(?:(?:Public|Private|Friend|Shared|Async|Iterator|MustInherit|NotInheritable|Partial)\s+)*"
        + @"(Function|Sub|Class|Structure|Enum|Interface|Module)\s+(\w+)", RegexOptions.IgnoreCase);

    static readonly Regex Dim = new(
        @"^(\s*)Dim\s+(\w+)(\s*\(\))?(?:\s+As\s+((?:New\s+)?[^=]+?))?(?:\s*=\s*(.*))?$", RegexOptions.IgnoreCase);

    static readonly VisualBasicCompilationOptions Options = new(
        OutputKind.DynamicallyLinkedLibrary, optionStrict: OptionStrict.Off, optionInfer: true, optionExplicit: true);

    readonly List<MetadataReference> references;
    readonly List<string> imports = new();
    readonly Dictionary<string, string> types = new(StringComparer.OrdinalIgnoreCase); // of names
    readonly Dictionary<string, string> functions = new(StringComparer.OrdinalIgnoreCase); // their texts
    readonly Dictionary<string, object?> callables = new(StringComparer.OrdinalIgnoreCase);
    int number;

    public VisualBasicSession(string[] paths) =>
        references = paths.Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToList();

    public Outcome Run(string code, string file)
    {
        var cell = new Cell(code, file);
        var live = new Dictionary<string, string>(types, types.Comparer);
        cell.Types.ToList().ForEach(pair => live[pair.Key] = pair.Value);
        var texts = new Dictionary<string, string>(functions, functions.Comparer);
        cell.Functions.ToList().ForEach(pair => texts[pair.Key] = pair.Value);
        var all = imports.Concat(cell.Imports).Distinct().ToArray();
        var compilation = VisualBasicCompilation.Create(
            $"cell-vb-{number}",
            new[]
            {
                VisualBasicSyntaxTree.ParseText(
                    SourceText.From(cell.Source(number, live, texts), Encoding.UTF8), new(LanguageVersion.Latest),
                    "cell.vb"),
            },
            references, Options.WithGlobalImports(Usual.Concat(all.Select(name => GlobalImport.Parse(name)))));
        var (library, symbols) = (new MemoryStream(), new MemoryStream());
        var emitted = compilation.Emit(
            library, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        var findings = emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error || IsOf(d, file))
            .Select(Describe).ToArray();
        if (!emitted.Success)
        {
            return new Outcome { Findings = findings };
        }
        library.Position = symbols.Position = 0;
        var assembly = AssemblyLoadContext.Default.LoadFromStream(library, symbols);
        if (cell.HasTypes)
        {
            references.Add(MetadataReference.CreateFromImage(library.ToArray()));
        }
        imports.Clear();
        imports.AddRange(all);
        live.ToList().ForEach(pair => types[pair.Key] = pair.Value);
        texts.ToList().ForEach(pair => functions[pair.Key] = pair.Value);
        foreach (var name in texts.Keys)
        {
            var method = assembly.GetType($"Functions{number}")?.GetMethod(
                name, BindingFlags.Static | BindingFlags.Public);
            callables[name] = method is null ? null : Session.Callable(method, null);
        }
        var run = assembly.GetType($"Cell{number}")!.GetMethod("Run")!;
        number += 1;
        var value = run.Invoke(null, BindingFlags.DoNotWrapExceptions, null, null, null);
        return new Outcome { Ok = true, Findings = findings, Value = value };
    }

    public void Put(string name, object? value)
    {
        var type = Session.Spelled(value);
        types[name] = type is "global::System.String" or "global::System.Int32" or "global::System.Int64"
            or "global::System.Double" or "global::System.Boolean" ? type.Replace("global::", "Global.") : "Object";
        Session.Set($"vb {name.ToLowerInvariant()}", value);
    }

    public Dictionary<string, object?> Names()
    {
        var found = callables.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value);
        foreach (var name in types.Keys)
        {
            found[name] = Session.Get($"vb {name.ToLowerInvariant()}");
        }
        return found;
    }

    static bool IsOf(Diagnostic diagnostic, string file) =>
        diagnostic.Severity == DiagnosticSeverity.Warning && diagnostic.Location.GetMappedLineSpan().Path == file;

    static Finding Describe(Diagnostic diagnostic)
    {
        var place = diagnostic.Location.GetMappedLineSpan().StartLinePosition;
        var severity = diagnostic.Severity == DiagnosticSeverity.Error ? "error" : "warning";
        return new(place.Line + 1, place.Character + 1, severity, diagnostic.Id, diagnostic.GetMessage());
    }

    // A cell, taken apart line by line.
    sealed class Cell
    {
        readonly string file;
        readonly List<(int Line, string Text)> statements = new();
        readonly List<(int Line, string Text)> declarations = new();

        public Cell(string code, string file)
        {
            this.file = file;
            var lines = code.Replace("\r", "").Split('\n');
            for (var place = 0; place < lines.Length; place++)
            {
                var line = lines[place];
                if (Regex.Match(line, @"^\s*Imports\s+(.+?)\s*$", RegexOptions.IgnoreCase) is { Success: true } import)
                {
                    Imports.Add(import.Groups[1].Value);
                }
                else if (Opening.Match(line) is { Success: true } opening)
                {
                    var (kind, start) = (opening.Groups[1].Value, place);
                    var end = new Regex($@"^\s*End\s+{kind}\b", RegexOptions.IgnoreCase);
                    while (place < lines.Length - 1 && !end.IsMatch(lines[place]))
                    {
                        place++;
                    }
                    Declare(kind, opening.Groups[2].Value, start, string.Join("\n", lines[start..(place + 1)]));
                }
                else
                {
                    statements.Add((place + 1, Statement(line)));
                }
            }
        }

        public List<string> Imports { get; } = new();

        public Dictionary<string, string> Types { get; } = new(StringComparer.OrdinalIgnoreCase);

        public Dictionary<string, string> Functions { get; } = new(StringComparer.OrdinalIgnoreCase);

        public bool HasTypes => declarations.Count > 0;

        public string Source(int number, Dictionary<string, string> types, Dictionary<string, string> functions)
        {
            var source = new StringBuilder();
            declarations.ForEach(one => source.AppendLine(Placed(one.Line, one.Text)));
            source.AppendLine($"Friend Module Names{number}");
            foreach (var (name, type) in types)
            {
                var key = $"\"vb {name.ToLowerInvariant()}\"";
                source.AppendLine($"Public Property [{name}] As {type}");
                source.AppendLine($"Get\nReturn CType(CoFlows.Cells.Session.Get({key}), {type})\nEnd Get");
                source.AppendLine($"Set(value As {type})\nCoFlows.Cells.Session.Set({key}, value)\nEnd Set");
                source.AppendLine("End Property");
            }
            source.AppendLine($"End Module\nFriend Module Functions{number}");
            functions.Values.ToList().ForEach(text => source.AppendLine(text));
            source.AppendLine($"End Module\nPublic Module Cell{number}\nPublic Function Run() As Object");
            statements.ForEach(one => source.AppendLine(Placed(one.Line, one.Text)));
            return source.AppendLine("Return Nothing\nEnd Function\nEnd Module").ToString();
        }

        void Declare(string kind, string name, int start, string text)
        {
            if (kind.ToLowerInvariant() is "function" or "sub")
            {
                Functions[name] = Placed(start + 1, text);
            }
            else
            {
                declarations.Add((start + 1, text));
            }
        }

        // Only what is not indented is declared for the cells to come.
        string Statement(string line)
        {
            if (line.StartsWith('?'))
            {
                return $"Return {line[1..]}";
            }
            if (Dim.Match(line) is not { Success: true } dim || dim.Groups[1].Length > 0)
            {
                return line;
            }
            var (name, type, value) = (dim.Groups[2].Value, dim.Groups[4].Value.Trim(), dim.Groups[5].Value);
            if (Regex.Match(type, @"^New\s+(.+)$", RegexOptions.IgnoreCase) is { Success: true } made)
            {
                Types[name] = Regex.Replace(made.Groups[1].Value, @"\((?!\s*Of\b).*$", "", RegexOptions.IgnoreCase);
                return $"[{name}] = {type}";
            }
            Types[name] = type.Length == 0 ? "Object" : type + dim.Groups[3].Value.Trim();
            // The value stays in its column, for what the compiler says of it.
            return value.Length == 0 ? $"[{name}] = Nothing" : $"[{name}] =".PadRight(dim.Groups[5].Index) + value;
        }

        string Placed(int line, string text) => $"#ExternalSource(\"{file}\", {line})\n{text}\n#End ExternalSource";
    }
}
