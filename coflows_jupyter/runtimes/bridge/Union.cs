// What only F# has. Its library is asked by reflection, so that a host without F# sources never loads it.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading;

namespace CoFlows.Host;

public static class Union
{
    const string Core = "Microsoft.FSharp.Core.";
    const int Sum = 1, Module = 7, Kinds = 31; // of SourceConstructFlags

    static readonly ConcurrentDictionary<Type, bool> Known = new();

    static bool Is(Type type, string name) =>
        type.IsGenericType && type.GetGenericTypeDefinition().FullName?.StartsWith("Microsoft.FSharp." + name) == true;

    public static bool IsAsync(Type type) => Is(type, "Control.FSharpAsync`");

    public static bool IsAsync(object value) => IsAsync(value.GetType());

    public static bool IsOption(Type type) => Is(type, "Core.FSharpOption`") || Is(type, "Core.FSharpValueOption`");

    /// <summary>Returns what an option is an option of.</summary>
    public static Type? Optional(Type type) => IsOption(type) ? type.GetGenericArguments()[0] : null;

    /// <summary>Whether a type is a union that is not written like a value of C#'s: no option and no list.</summary>
    public static bool IsUnion(Type type) => Known.GetOrAdd(type, Look);

    static bool Look(Type type) => Kind(type) == Sum && !IsOption(type) && !Is(type, "Collections.FSharpList`");

    /// <summary>Whether a type is a case of a union.</summary>
    public static bool IsPart(Type type) => type.DeclaringType is { } outer && Kind(outer) == Sum || Kind(type) == Sum;

    /// <summary>Whether a method reads a value of an F# module.</summary>
    public static bool IsValue(MethodInfo method) => method.IsSpecialName && method.Name.StartsWith("get_")
        && method.GetParameters().Length == 0 && Kind(method.DeclaringType!) == Module;

    static int Kind(Type type)
    {
        var mapping = type.GetCustomAttributes(true).FirstOrDefault(
            attribute => attribute.GetType().FullName == Core + "CompilationMappingAttribute");
        var flags = mapping?.GetType().GetProperty("SourceConstructFlags")!.GetValue(mapping);
        return flags is null ? 0 : (int)flags & Kinds;
    }

    static object? Call(object of, string type, string method, params object?[] arguments)
    {
        var core = of as Assembly ?? CoreOf(of as Type ?? of.GetType());
        var found = core.GetType("Microsoft.FSharp." + type)!.GetMethods()
            .First(m => m.Name == method && m.GetParameters().Length == arguments.Length);
        if (found.IsGenericMethodDefinition)
        {
            found = found.MakeGenericMethod(of.GetType().GetGenericArguments());
        }
        return found.Invoke(null, arguments);
    }

    static Assembly CoreOf(Type type) => type.GetCustomAttributes(true)
        .Select(attribute => attribute.GetType().Assembly).Append(type.Assembly)
        .First(assembly => assembly.GetName().Name == "FSharp.Core");

    /// <summary>Starts an `async`.</summary>
    public static object Start(object work, CancellationToken token)
    {
        var some = typeof(Nullable<>); // the option of a token is made by the library that defines options
        some = work.GetType().Assembly.GetType(Core + "FSharpOption`1")!.MakeGenericType(typeof(CancellationToken));
        var given = some.GetMethod("Some")!.Invoke(null, new object[] { token });
        return Call(work, "Control.FSharpAsync", "StartAsTask", work, null, given)!;
    }

    /// <summary>Returns the value of an `Ok`, and throws what an `Error` says; returns any other value as it is.</summary>
    public static object? Opened(object value)
    {
        var type = value.GetType();
        if (!Is(type, "Core.FSharpResult`"))
        {
            return value;
        }
        if ((bool)type.GetProperty("IsOk")!.GetValue(value)!)
        {
            return type.GetProperty("ResultValue")!.GetValue(value);
        }
        var error = type.GetProperty("ErrorValue")!.GetValue(value);
        throw error as Exception ?? new ResultError(error as string ?? Json.Text(error) ?? "");
    }

    /// <summary>Takes a value of a union apart.</summary>
    public static (string Name, (string Name, object? Value)[] Fields) Split(object value)
    {
        var type = value.GetType();
        type = type.BaseType is { } whole && Kind(whole) == Sum ? whole : type;
        var read = Call(type, "Reflection.FSharpValue", "GetUnionFields", value, type, null)!;
        var parts = (System.Runtime.CompilerServices.ITuple)read;
        var about = parts[0]!;
        var name = (string)about.GetType().GetProperty("Name")!.GetValue(about)!;
        var fields = (PropertyInfo[])about.GetType().GetMethod("GetFields", Type.EmptyTypes)!.Invoke(about, null)!;
        return (name, fields.Zip((object?[])parts[1]!, (field, item) => (field.Name, item)).ToArray());
    }

    /// <summary>Makes a value of a union of the name of its case and its fields.</summary>
    public static object Make(Type type, string name, Func<Type, int, object?> field)
    {
        var cases = (Array)Call(type, "Reflection.FSharpType", "GetUnionCases", type, null)!;
        foreach (var about in cases)
        {
            if ((string)about.GetType().GetProperty("Name")!.GetValue(about)! == name)
            {
                var fields = (PropertyInfo[])about.GetType().GetMethod("GetFields", Type.EmptyTypes)!
                    .Invoke(about, null)!;
                var values = fields.Select((property, place) => field(property.PropertyType, place)).ToArray();
                return Call(type, "Reflection.FSharpValue", "MakeUnion", about, values, null)!;
            }
        }
        throw new JsonException($"{type.Name} has no case {name}");
    }
}

/// <summary>What a function says that returns the `Error` of a `Result`.</summary>
public sealed class ResultError(string message) : Exception(message);

/// <summary>A case without fields is the text of its name; any other is {"Case": name, "Fields": [values]}.</summary>
sealed class Cases : Family
{
    protected override Type Open => typeof(Cases<>);

    public override bool CanConvert(Type type) =>
        Union.IsUnion(type) || type.BaseType is { } whole && Union.IsUnion(whole);
}

sealed class Cases<T> : JsonConverter<T>
{
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        // In a query string everything is text.
        using var document = reader.TokenType == JsonTokenType.String && reader.GetString() is { } text
            ? text.StartsWith('{') ? JsonDocument.Parse(text) : JsonSerializer.SerializeToDocument(new { Case = text })
            : JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        var fields = root.TryGetProperty("Fields", out var given) ? given.EnumerateArray().ToArray() : [];
        return (T)Union.Make(type, root.GetProperty("Case").GetString()!, (kind, place) =>
            place < fields.Length ? fields[place].Deserialize(kind, options) : throw new JsonException("a field is missing"));
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        var (name, fields) = Union.Split(value!);
        if (fields.Length == 0)
        {
            writer.WriteStringValue(name);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("Case", name);
        writer.WriteStartArray("Fields");
        foreach (var (_, item) in fields)
        {
            JsonSerializer.Serialize(writer, item, options);
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
