// The builder: a process that keeps .NET's compilers warm. It takes a request per line of its standard input, as JSON,
// compiles each on a thread of its own, and answers in a line of its standard output. It ends with its input.
//
// Its only argument is the folder of the SDK whose compilers it uses; nothing of them is touched before they can be
// found there.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using Microsoft.CodeAnalysis.VisualBasic;
using CS = Microsoft.CodeAnalysis.CSharp.LanguageVersion;
using VB = Microsoft.CodeAnalysis.VisualBasic.LanguageVersion;

namespace CoFlows.Build;

public sealed record Source(string Path, string Text);

public sealed record Request(
    long Id, string Language, string Name, string Output, Source[] Sources, string[] References);

public sealed record Finding(string File, int Line, int Column, string Severity, string Code, string Message);

public sealed record Reply(long Id, bool Ok, List<Finding> Findings);

public static class Program
{
    static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Sdk = "";

    public static int Main(string[] arguments)
    {
        Sdk = arguments[0];
        string[] folders = { Path.Combine(Sdk, "Roslyn", "bincore"), Path.Combine(Sdk, "FSharp") };
        AssemblyLoadContext.Default.Resolving += (context, name) => folders
            .Select(folder => Path.Combine(folder, name.Name + ".dll"))
            .Where(File.Exists)
            .Select(context.LoadFromAssemblyPath)
            .FirstOrDefault();
        var output = Console.OpenStandardOutput();
        Console.SetOut(TextWriter.Null); // a compiler that prints must not break the protocol
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        while (input.ReadLine() is { } line)
        {
            var request = JsonSerializer.Deserialize<Request>(line, Json)!;
            Task.Run(() =>
            {
                var answer = JsonSerializer.SerializeToUtf8Bytes(Answer(request), Json);
                lock (output)
                {
                    output.Write(answer);
                    output.WriteByte((byte)'\n');
                    output.Flush();
                }
            });
        }
        Environment.Exit(0); // also while something compiles: nobody waits for it any more
        return 0;
    }

    static Reply Answer(Request request)
    {
        try
        {
            return request.Language == "fsharp" ? FSharp.Compile(request) : Roslyn.Compile(request);
        }
        catch (Exception error)
        {
            var inner = error is TargetInvocationException { InnerException: { } cause } ? cause : error;
            var message = $"the compiler failed: {inner.GetType().Name}: {inner.Message}";
            return new Reply(request.Id, false, new() { new("", 0, 0, "error", "compiler", message) });
        }
    }
}

static class Roslyn
{
    const int Most = 1000;

    static readonly ConcurrentDictionary<(string, DateTime), MetadataReference> References = new();

    // What packages built for an older .NET bring by the dozen, without a place in the user's files.
    static readonly Dictionary<string, ReportDiagnostic> Quiet =
        new[] { "CS1701", "CS1702" }.ToDictionary(code => code, _ => ReportDiagnostic.Suppress);

    static readonly GlobalImport[] Imports = GlobalImport.Parse(
        "System", "System.Collections", "System.Collections.Generic", "System.Linq", "System.Threading.Tasks",
        "Microsoft.VisualBasic").ToArray();

    public static Reply Compile(Request request)
    {
        var references = request.References.Select(Reference);
        Compilation compilation = request.Language == "vb"
            ? VisualBasicCompilation.Create(request.Name, VisualBasic(request), references, new(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release,
                globalImports: Imports, deterministic: true))
            : CSharpCompilation.Create(request.Name, CSharp(request), references, new(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
                deterministic: true, nullableContextOptions: NullableContextOptions.Annotations,
                specificDiagnosticOptions: Quiet));
        using var code = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = compilation.Emit(
            code, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        if (result.Success)
        {
            Files.Put(Path.ChangeExtension(request.Output, ".pdb"), symbols);
            Files.Put(request.Output, code);
        }
        var findings = result.Diagnostics.Where(d => d.Severity >= DiagnosticSeverity.Warning && !d.IsSuppressed)
            .Select(Describe).ToList();
        return new Reply(request.Id, result.Success, findings);
    }

    static IEnumerable<SyntaxTree> CSharp(Request request)
    {
        var options = new CSharpParseOptions(CS.Latest);
        return request.Sources.Select(source => CSharpSyntaxTree.ParseText(Text(source), options, source.Path));
    }

    static IEnumerable<SyntaxTree> VisualBasic(Request request)
    {
        var options = new VisualBasicParseOptions(VB.Latest);
        return request.Sources.Select(source => VisualBasicSyntaxTree.ParseText(Text(source), options, source.Path));
    }

    static SourceText Text(Source source) => SourceText.From(source.Text, Encoding.UTF8);

    static MetadataReference Reference(string path)
    {
        if (References.Count > Most)
        {
            References.Clear(); // of libraries that were compiled and compiled again
        }
        return References.GetOrAdd(
            (path, File.GetLastWriteTimeUtc(path)), _ => MetadataReference.CreateFromFile(path));
    }

    static Finding Describe(Diagnostic diagnostic)
    {
        var place = diagnostic.Location.GetLineSpan();
        var known = place.Path.Length > 0;
        return new(
            place.Path, known ? place.StartLinePosition.Line + 1 : 0, known ? place.StartLinePosition.Character + 1 : 0,
            diagnostic.Severity == DiagnosticSeverity.Error ? "error" : "warning", diagnostic.Id,
            diagnostic.GetMessage());
    }
}

// Its compiler is asked by reflection: the SDK may come without it, and its signatures differ between versions.
static class FSharp
{
    static readonly Lazy<object> Checker = new(() =>
    {
        var create = Service("FSharpChecker").GetMethod("Create")!;
        return create.Invoke(null, new object?[create.GetParameters().Length])!;
    });

    static readonly object Alone = new(); // the checker does one thing at a time anyway

    public static Reply Compile(Request request)
    {
        var folder = Directory.CreateTempSubdirectory("coflows-fsharp-");
        try
        {
            var made = Path.Combine(folder.FullName, Path.GetFileName(request.Output));
            var (findings, ok) = Run(request, folder.FullName, made);
            if (ok)
            {
                Files.Put(Path.ChangeExtension(request.Output, ".pdb"), Path.ChangeExtension(made, ".pdb"));
                Files.Put(request.Output, made);
            }
            return new Reply(request.Id, ok, findings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static (List<Finding>, bool) Run(Request request, string folder, string output)
    {
        var arguments = new List<string>
        {
            "fsc.exe", "--nologo", "--noframework", "--target:library", "--targetprofile:netcore", "--optimize-",
            "--debug:portable", "--deterministic+", $"--out:{output}",
        };
        arguments.AddRange(request.References.Select(path => $"-r:{path}"));
        var written = new Dictionary<string, string>();
        foreach (var (source, number) in request.Sources.Select((source, number) => (source, number)))
        {
            // What counts is the text that we were given; the folder keeps apart files of one name.
            var place = Directory.CreateDirectory(Path.Combine(folder, number.ToString())).FullName;
            var file = Path.Combine(place, Path.GetFileName(source.Path));
            File.WriteAllText(file, source.Text);
            written[file] = source.Path;
            arguments.Add(file);
            arguments.Add($"--pathmap:{place}={Path.GetDirectoryName(source.Path)}");
        }
        object result;
        lock (Alone)
        {
            var compile = Service("FSharpChecker").GetMethods().First(method => method.Name == "Compile");
            var started = compile.Invoke(Checker.Value, new object?[] { arguments.ToArray(), null })!;
            var core = started.GetType().Assembly;
            result = core.GetType("Microsoft.FSharp.Control.FSharpAsync")!.GetMethod("RunSynchronously")!
                .MakeGenericMethod(started.GetType().GetGenericArguments()[0])
                .Invoke(null, new[] { started, null, null })!;
        }
        var diagnostics = ((IEnumerable<object>)Get(result, "Item1")!).Select(d => Describe(d, written))
            .Where(finding => finding.Severity is "error" or "warning").ToList();
        return (diagnostics, Get(result, "Item2") is null && diagnostics.All(d => d.Severity != "error"));
    }

    static Finding Describe(object diagnostic, Dictionary<string, string> written)
    {
        var file = (string)Get(diagnostic, "FileName")!;
        return new(
            written.GetValueOrDefault(file, file), (int)Get(diagnostic, "StartLine")!,
            (int)Get(diagnostic, "StartColumn")! + 1, Get(diagnostic, "Severity")!.ToString()!.ToLowerInvariant(),
            (string)Get(diagnostic, "ErrorNumberText")!, (string)Get(diagnostic, "Message")!);
    }

    static object? Get(object value, string name) => value.GetType().GetProperty(name)!.GetValue(value);

    static Type Service(string name) => Assembly.Load("FSharp.Compiler.Service")
        .GetType($"FSharp.Compiler.CodeAnalysis.{name}", throwOnError: true)!;
}

// Whole files only: another process may look for the same one.
static class Files
{
    public static void Put(string path, MemoryStream content)
    {
        var partial = $"{path}.{Environment.ProcessId}.partial";
        File.WriteAllBytes(partial, content.ToArray());
        File.Move(partial, path, overwrite: true);
    }

    public static void Put(string path, string made)
    {
        using var content = new MemoryStream(File.ReadAllBytes(made));
        Put(path, content);
    }
}
