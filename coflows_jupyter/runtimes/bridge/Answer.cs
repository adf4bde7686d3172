// What a call gives back: two 32-bit numbers, the outcome and the size, and then the bytes.

using System;
using System.Buffers;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Python.Runtime;

namespace CoFlows.Host;

/// <summary>Memory of one thread that never moves, with a JSON writer over it.</summary>
public sealed unsafe class Answer : IBufferWriter<byte>
{
    const int Header = 8, Small = 1 << 12, Large = 1 << 20;

    [ThreadStatic]
    static Answer? mine;

    byte[] memory = GC.AllocateUninitializedArray<byte>(Small, pinned: true);
    int used = Header;

    public Utf8JsonWriter Writer { get; }

    Answer() => Writer = new Utf8JsonWriter(this, Json.Writing);

    /// <summary>Returns the memory of this thread, empty.</summary>
    public static Answer Begin()
    {
        var answer = mine ??= new Answer();
        if (answer.memory.Length > Large)
        {
            answer.memory = GC.AllocateUninitializedArray<byte>(Small, pinned: true);
        }
        answer.Clear();
        return answer;
    }

    /// <summary>Writes what <paramref name="work"/> returns, or why it failed.</summary>
    public static byte* Of(Func<object?> work)
    {
        var answer = Begin();
        try
        {
            var value = work();
            answer.Clear(); // the work may have called others on this thread
            JsonSerializer.Serialize(answer.Writer, value);
            return answer.End(Outcome.Json);
        }
        catch (Exception error)
        {
            return answer.Fail(error);
        }
    }

    public void Clear()
    {
        used = Header;
        Writer.Reset(this);
    }

    public byte* End(Outcome outcome)
    {
        Writer.Flush();
        var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
        ((int*)start)[0] = (int)outcome;
        ((int*)start)[1] = used - Header;
        return start;
    }

    public byte* End(Outcome outcome, ReadOnlySpan<byte> bytes)
    {
        Clear();
        bytes.CopyTo(GetSpan(bytes.Length));
        Advance(bytes.Length);
        return End(outcome);
    }

    public byte* End(Outcome outcome, string text) => End(outcome, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes why a call failed: what is wrong with an argument, or what the user's code threw.</summary>
    public byte* Fail(Exception error)
    {
        Clear();
        while (error is TargetInvocationException or TypeInitializationException or AggregateException
            && error.InnerException is { } inner)
        {
            error = inner;
        }
        if (error is Misfit misfit)
        {
            JsonSerializer.Serialize(Writer, new[] { misfit.Parameter, misfit.Message });
            return End(Outcome.Misfit);
        }
        if (error is PythonException python)
        {
            var text = python.Format().TrimEnd();
            JsonSerializer.Serialize(Writer, new[] { text[(text.LastIndexOf('\n') + 1)..], text + "\n" + Trace(error) });
            return End(Outcome.Failed);
        }
        if (error is NoForm)
        {
            return End(Outcome.NoForm, error.Message);
        }
        JsonSerializer.Serialize(Writer, new[] { $"{Name(error.GetType())}: {error.Message}", Trace(error) });
        return End(Outcome.Failed);
    }

    static string Name(Type type) => type.Namespace is "System" or "CoFlows.Host" ? type.Name : type.FullName ?? type.Name;

    // Without our own frames around the user's.
    static string Trace(Exception error)
    {
        var lines = error.ToString().Split('\n');
        return string.Join('\n', Array.FindAll(lines, line =>
            !line.Contains(" at CoFlows.Host.") && !line.Contains(" at System.Reflection.")
            && !line.Contains(" at InvokeStub_") && !line.Contains(" at System.RuntimeMethodHandle.")));
    }

    public void Advance(int count) => used += count;

    public Memory<byte> GetMemory(int hint = 0)
    {
        Grow(hint);
        return memory.AsMemory(used);
    }

    public Span<byte> GetSpan(int hint = 0)
    {
        Grow(hint);
        return memory.AsSpan(used);
    }

    void Grow(int hint)
    {
        var wanted = used + Math.Max(hint, 256);
        if (wanted > memory.Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(
                (int)Math.Min(Array.MaxLength, Math.Max((long)wanted, 2L * memory.Length)), pinned: true);
            memory.AsSpan(0, used).CopyTo(larger);
            memory = larger;
        }
    }
}

/// <summary>An argument that does not fit its parameter.</summary>
public sealed class Misfit(string parameter, string message) : Exception(message)
{
    public string Parameter { get; } = parameter;
}

/// <summary>A result that has no JSON form.</summary>
public sealed class NoForm(string message) : Exception(message);
