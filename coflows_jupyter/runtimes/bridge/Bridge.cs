// What a host calls: functions by pointer, bytes in and bytes out. Neither side ever holds an object of the other's for
// a call, so nothing has to be counted, pinned or converted twice.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace CoFlows.Host;

/// <summary>How a call went; runtimes/clr.py has the same numbers.</summary>
public enum Outcome
{
    Json, Bytes, File, Stream, Failed, Misfit, NoForm, Cancelled, End,
}

public static unsafe class Bridge
{
    static readonly List<Bound> Functions = new();
    static readonly Dictionary<long, CancellationTokenSource> Tokens = new();
    static readonly Dictionary<string, string> Libraries = new(StringComparer.OrdinalIgnoreCase);
    static readonly Dictionary<string, string> Natives = new(StringComparer.Ordinal);
    static delegate* unmanaged<long, int, byte*, int, void> write;

    internal static readonly AsyncLocal<long> Current = new();

    /// <summary>Returns the addresses of what a host may call, in the order that runtimes/clr.py takes them.</summary>
    public static string Addresses() => string.Join(' ', new[]
    {
        (nint)(delegate* unmanaged<nint, void>)&Start,
        (nint)(delegate* unmanaged<byte*, int, byte*>)&Provide,
        (nint)(delegate* unmanaged<byte*, int, byte*>)&Load,
        (nint)(delegate* unmanaged<byte*, int, byte*>)&LoadAgent,
        (nint)(delegate* unmanaged<long, long, byte*, int, byte*>)&Call,
        (nint)(delegate* unmanaged<long, long, byte*>)&Next,
        (nint)(delegate* unmanaged<long, void>)&Close,
        (nint)(delegate* unmanaged<long, void>)&Cancel,
    });

    /// <summary>Takes what the console prints from now on to the host.</summary>
    [UnmanagedCallersOnly]
    static void Start(nint writer)
    {
        write = (delegate* unmanaged<long, int, byte*, int, void>)writer;
        Console.SetOut(new Printer(0));
        Console.SetError(new Printer(1));
        var context = AssemblyLoadContext.Default;
        context.Resolving += (_, name) => Libraries.TryGetValue(name.Name ?? "", out var path)
            ? context.LoadFromAssemblyPath(path)
            : AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(loaded => loaded.GetName().Name == name.Name);
        context.ResolvingUnmanagedDll += (_, name) =>
            Natives.TryGetValue(name, out var path) ? NativeLibrary.Load(path) : 0;
    }

    internal static void Print(int stream, ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var size = Encoding.UTF8.GetBytes(text, bytes);
        fixed (byte* start = bytes)
        {
            write(Current.Value, stream, start, size);
        }
    }

    /// <summary>Takes the paths of libraries that are loaded when something needs them: [managed, native].</summary>
    [UnmanagedCallersOnly]
    static byte* Provide(byte* data, int size) => Answer.Of(() =>
    {
        var paths = JsonSerializer.Deserialize<string[][]>(new ReadOnlySpan<byte>(data, size))!;
        foreach (var path in paths[0])
        {
            Libraries.TryAdd(Path.GetFileNameWithoutExtension(path), path);
        }
        foreach (var path in paths[1])
        {
            var name = Path.GetFileNameWithoutExtension(path);
            Natives.TryAdd(Path.GetFileName(path), path);
            Natives.TryAdd(name, path);
            Natives.TryAdd(name.StartsWith("lib") ? name[3..] : name, path);
        }
        return null;
    });

    /// <summary>Loads the library at a path and returns its functions.</summary>
    [UnmanagedCallersOnly]
    static byte* Load(byte* data, int size) => Answer.Of(() =>
    {
        var assembly = AssemblyLoadContext.Default.LoadFromAssemblyPath(Encoding.UTF8.GetString(data, size));
        return Surface.Functions(assembly)
            .Select(method => Surface.Describe(method, Register(new Bound(method)))).ToArray();
    });

    /// <summary>Loads the library at a path and returns the Agent that its function declares: [path, function].</summary>
    [UnmanagedCallersOnly]
    static byte* LoadAgent(byte* data, int size) => Answer.Of(() =>
    {
        var given = JsonSerializer.Deserialize<string[]>(new ReadOnlySpan<byte>(data, size))!;
        return Agents.Declare(AssemblyLoadContext.Default.LoadFromAssemblyPath(given[0]), given[1], Register);
    });

    static int Register(Bound function)
    {
        lock (Functions)
        {
            Functions.Add(function);
            return Functions.Count - 1;
        }
    }

    /// <summary>Calls a function with the arguments in a JSON array.</summary>
    /// <remarks>The answer lies in memory of this thread until it calls again.</remarks>
    [UnmanagedCallersOnly]
    static byte* Call(long function, long call, byte* data, int size)
    {
        var answer = Answer.Begin();
        Current.Value = call;
        try
        {
            var bound = Functions[(int)function];
            if (!bound.Cancellable)
            {
                return bound.Call(new ReadOnlySpan<byte>(data, size), default, answer);
            }
            using var source = new CancellationTokenSource();
            lock (Tokens)
            {
                Tokens[call] = source;
            }
            try
            {
                return bound.Call(new ReadOnlySpan<byte>(data, size), source.Token, answer);
            }
            catch (OperationCanceledException) when (source.IsCancellationRequested)
            {
                return answer.End(Outcome.Cancelled);
            }
            finally
            {
                lock (Tokens)
                {
                    Tokens.Remove(call);
                }
            }
        }
        catch (Exception error)
        {
            return answer.Fail(error);
        }
        finally
        {
            Current.Value = 0;
        }
    }

    /// <summary>Gives the next value of a stream.</summary>
    [UnmanagedCallersOnly]
    static byte* Next(long stream, long call)
    {
        var answer = Answer.Begin();
        Current.Value = call;
        try
        {
            return Streams.Next(stream, answer);
        }
        catch (Exception error)
        {
            return answer.Fail(error);
        }
        finally
        {
            Current.Value = 0;
        }
    }

    /// <summary>Ends a stream, whether it was read to its end or not.</summary>
    [UnmanagedCallersOnly]
    static void Close(long stream)
    {
        try
        {
            Streams.Close(stream);
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
        }
    }

    /// <summary>Asks a call to stop.</summary>
    [UnmanagedCallersOnly]
    static void Cancel(long call)
    {
        CancellationTokenSource? source;
        lock (Tokens)
        {
            Tokens.TryGetValue(call, out source);
        }
        try
        {
            source?.Cancel();
        }
        catch (Exception) // of the user's own callbacks, or it has ended just now
        {
        }
    }
}

/// <summary>The console of user code.</summary>
sealed class Printer(int stream) : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Bridge.Print(stream, new ReadOnlySpan<char>(in value));

    public override void Write(ReadOnlySpan<char> text) => Bridge.Print(stream, text);

    public override void Write(char[] buffer, int index, int count) =>
        Bridge.Print(stream, buffer.AsSpan(index, count));

    public override void Write(string? value) => Bridge.Print(stream, value);

    public override void WriteLine(string? value) => Bridge.Print(stream, value + "\n");

    public override void WriteLine() => Bridge.Print(stream, "\n");
}
