// One function of the user's, ready to be called: its arguments are read and its result is written without looking at
// its signature again.

using System;
using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace CoFlows.Host;

public sealed unsafe class Bound
{
    readonly MethodInvoker invoker;
    readonly object? target;
    readonly ParameterInfo[] parameters;
    readonly Type? rest; // of the items of a `params` array

    public bool Cancellable { get; }

    public Bound(MethodInfo method)
    {
        invoker = MethodInvoker.Create(method);
        parameters = method.GetParameters();
        rest = Surface.Rest(method);
        Cancellable = parameters.Any(parameter => parameter.ParameterType == typeof(CancellationToken));
    }

    public Bound(Delegate function) : this(function.GetType().GetMethod("Invoke")!) => target = function;

    public byte* Call(ReadOnlySpan<byte> json, CancellationToken token, Answer answer)
    {
        var values = new object?[parameters.Length];
        Read(json, values, token);
        return Results.Write(Results.Await(invoker.Invoke(target, values.AsSpan()), token), answer, token);
    }

    void Read(ReadOnlySpan<byte> json, object?[] values, CancellationToken token)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read(); // the array
        reader.Read(); // its first item, or its end
        for (var place = 0; place < parameters.Length; place++)
        {
            var parameter = parameters[place];
            if (parameter.ParameterType == typeof(CancellationToken))
            {
                values[place] = token;
            }
            else if (rest is not null && place == parameters.Length - 1)
            {
                var items = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(rest))!;
                while (reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(One(ref reader, rest, $"{parameter.Name}[{items.Count}]"));
                }
                var array = Array.CreateInstance(rest, items.Count);
                items.CopyTo(array, 0);
                values[place] = array;
            }
            else if (reader.TokenType == JsonTokenType.EndArray)
            {
                values[place] = Surface.Default(parameter);
            }
            else
            {
                values[place] = One(ref reader, parameter.ParameterType, parameter.Name!);
            }
        }
    }

    static object? One(ref Utf8JsonReader reader, Type type, string name)
    {
        try
        {
            var value = reader.TokenType == JsonTokenType.Null && !type.IsValueType
                ? null
                : JsonSerializer.Deserialize(ref reader, type, Json.Options);
            reader.Read();
            return value;
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException
            or NotSupportedException or ArgumentException or OverflowException)
        {
            throw new Misfit(name, $"can't be made {Surface.Spell(type)}: {error.Message}");
        }
    }
}

/// <summary>What functions return.</summary>
public static unsafe class Results
{
    static readonly ConcurrentDictionary<Type, PropertyInfo?> TaskResults = new();

    /// <summary>Waits for a task and returns its result; returns any other value as it is.</summary>
    public static object? Await(object? value, CancellationToken token)
    {
        if (value is not null && Union.IsAsync(value))
        {
            value = Union.Start(value, token);
        }
        if (value is not null and not Task && value.GetType() is { IsValueType: true, Name: "ValueTask`1" or "ValueTask" })
        {
            value = value.GetType().GetMethod("AsTask")!.Invoke(value, null);
        }
        if (value is not Task task)
        {
            return value;
        }
        task.GetAwaiter().GetResult();
        var property = TaskResults.GetOrAdd(task.GetType(), type => type.GetProperty("Result") is { } result
            && result.PropertyType.Name is not ("VoidTaskResult" or "Unit") ? result : null);
        return Await(property?.GetValue(task), token);
    }

    public static byte* Write(object? value, Answer answer, CancellationToken token)
    {
        value = value is null ? null : Union.Opened(value);
        answer.Clear(); // the function may have called others on this thread
        switch (value)
        {
            case byte[] bytes:
                return answer.End(Outcome.Bytes, bytes);
            case FileInfo file:
                return answer.End(Outcome.File, file.FullName);
            case not null when Streams.Open(value, token) is { } number:
                return answer.End(Outcome.Stream, number.ToString());
            default:
                Json.Write(answer.Writer, value);
                return answer.End(Outcome.Json);
        }
    }
}

/// <summary>Asynchronous streams that are being read, by number.</summary>
public static unsafe class Streams
{
    static readonly ConcurrentDictionary<long, IAsyncEnumerator<object?>> Open_ = new();
    static long numbers;

    /// <summary>Begins to read a value, if it is an asynchronous stream.</summary>
    public static long? Open(object value, CancellationToken token)
    {
        var kind = value.GetType().GetInterfaces().FirstOrDefault(
            type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));
        if (kind is null)
        {
            return null;
        }
        var boxed = (IAsyncEnumerable<object?>)typeof(Streams)
            .GetMethod(nameof(Boxed), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(kind.GetGenericArguments()).Invoke(null, new[] { value })!;
        var number = Interlocked.Increment(ref numbers);
        Open_[number] = boxed.GetAsyncEnumerator(token);
        return number;
    }

    public static byte* Next(long number, Answer answer)
    {
        var stream = Open_[number];
        if (!stream.MoveNextAsync().AsTask().GetAwaiter().GetResult())
        {
            return answer.End(Outcome.End);
        }
        answer.Clear();
        Json.Write(answer.Writer, stream.Current);
        return answer.End(Outcome.Json);
    }

    public static void Close(long number)
    {
        if (Open_.TryRemove(number, out var stream))
        {
            stream.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    static async IAsyncEnumerable<object?> Boxed<T>(IAsyncEnumerable<T> values)
    {
        await foreach (var value in values.ConfigureAwait(false))
        {
            yield return value;
        }
    }
}
