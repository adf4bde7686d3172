// Values that are made of others: tuples, sets, tables, arrays of several dimensions, and what has no type of its own.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Data;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CoFlows.Host;

/// <summary>A converter for every type of some kind; what it makes is generic only where reading asks for it.</summary>
abstract class Family : JsonConverterFactory
{
    protected abstract Type Open { get; }

    public override JsonConverter CreateConverter(Type type, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(Open.MakeGenericType(type))!;
}

/// <summary>Tuples are arrays; they are read from the original's objects of Item1, Item2 … as well.</summary>
sealed class Parts : Family
{
    protected override Type Open => typeof(Parts<>);

    public override bool CanConvert(Type type) => typeof(ITuple).IsAssignableFrom(type) && type.IsGenericType;
}

sealed class Parts<T> : JsonConverter<T>
{
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        var given = root.ValueKind == JsonValueKind.Array
            ? root.EnumerateArray().ToArray()
            : root.EnumerateObject().Select(property => property.Value).ToArray();
        var types = type.GetGenericArguments();
        if (given.Length != types.Length)
        {
            throw new JsonException($"{types.Length} values are wanted, and {given.Length} given");
        }
        return (T)Activator.CreateInstance(type, given.Select((v, n) => v.Deserialize(types[n], options)).ToArray())!;
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        var tuple = (ITuple)value!;
        writer.WriteStartArray();
        for (var place = 0; place < tuple.Length; place++)
        {
            JsonSerializer.Serialize(writer, tuple[place], options);
        }
        writer.WriteEndArray();
    }
}

/// <summary>Arrays of several dimensions are nested arrays.</summary>
sealed class Grid : Family
{
    protected override Type Open => typeof(Grid<>);

    public override bool CanConvert(Type type) => type.IsArray && type.GetArrayRank() > 1;
}

sealed class Grid<T> : JsonConverter<T>
{
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var sizes = new int[type.GetArrayRank()];
        var inner = document.RootElement;
        for (var rank = 0; rank < sizes.Length; rank++)
        {
            sizes[rank] = inner.GetArrayLength();
            if (sizes[rank] == 0)
            {
                break;
            }
            inner = inner[0];
        }
        var made = Array.CreateInstance(type.GetElementType()!, sizes);
        Fill(made, document.RootElement, new int[sizes.Length], 0, options);
        return (T)(object)made;
    }

    static void Fill(Array made, JsonElement from, int[] place, int rank, JsonSerializerOptions options)
    {
        if (from.GetArrayLength() != made.GetLength(rank))
        {
            throw new JsonException("its rows differ in length");
        }
        foreach (var (item, number) in from.EnumerateArray().Select((item, number) => (item, number)))
        {
            place[rank] = number;
            if (rank + 1 < place.Length)
            {
                Fill(made, item, place, rank + 1, options);
            }
            else
            {
                made.SetValue(item.Deserialize(made.GetType().GetElementType()!, options), place);
            }
        }
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        Write(writer, (Array)(object)value!, new int[((Array)(object)value).Rank], 0, options);

    static void Write(Utf8JsonWriter writer, Array grid, int[] place, int rank, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        for (place[rank] = 0; place[rank] < grid.GetLength(rank); place[rank]++)
        {
            if (rank + 1 < place.Length)
            {
                Write(writer, grid, place, rank + 1, options);
            }
            else
            {
                JsonSerializer.Serialize(writer, grid.GetValue(place), options);
            }
        }
        writer.WriteEndArray();
    }
}

/// <summary>Sets are arrays, sorted where their items can be, so that equal sets are equal texts.</summary>
sealed class Sorted : JsonConverterFactory
{
    public override bool CanConvert(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is var made
        && (made == typeof(HashSet<>) || made == typeof(ISet<>) || made == typeof(IReadOnlySet<>));

    public override JsonConverter CreateConverter(Type type, JsonSerializerOptions options) => (JsonConverter)
        Activator.CreateInstance(typeof(Sorted<,>).MakeGenericType(type, type.GetGenericArguments()[0]))!;
}

sealed class Sorted<T, TItem> : JsonConverter<T> where T : IEnumerable<TItem>
{
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        (T)(object)new HashSet<TItem>(JsonSerializer.Deserialize<List<TItem>>(ref reader, options)!);

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        IEnumerable<TItem> items = value;
        if (typeof(TItem) == typeof(string))
        {
            items = items.OrderBy(item => (string)(object)item!, StringComparer.Ordinal);
        }
        else if (typeof(IComparable).IsAssignableFrom(typeof(TItem)))
        {
            items = items.Order();
        }
        JsonSerializer.Serialize(writer, items.ToList(), options);
    }
}

/// <summary>A table is an array of objects, one per row.</summary>
sealed class Table : JsonConverter<DataTable>
{
    public override DataTable Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var table = new DataTable();
        foreach (var row in JsonSerializer.Deserialize<List<Dictionary<string, object?>>>(ref reader, options)!)
        {
            foreach (var (name, value) in row)
            {
                if (!table.Columns.Contains(name))
                {
                    table.Columns.Add(name, value?.GetType() ?? typeof(object));
                }
            }
            table.Rows.Add(table.Columns.Cast<DataColumn>()
                .Select(column => row.GetValueOrDefault(column.ColumnName) ?? DBNull.Value).ToArray());
        }
        return table;
    }

    public override void Write(Utf8JsonWriter writer, DataTable table, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (DataRow row in table.Rows)
        {
            writer.WriteStartObject();
            foreach (DataColumn column in table.Columns)
            {
                writer.WritePropertyName(column.ColumnName);
                JsonSerializer.Serialize(writer, row.IsNull(column) ? null : row[column], options);
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}

/// <summary>What is asked for as `object` becomes numbers, texts, lists and dictionaries.</summary>
sealed class Anything : JsonConverter<object>
{
    public override object? Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Number => reader.TryGetInt64(out var whole) ? (object)whole : reader.GetDouble(),
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.StartArray => JsonSerializer.Deserialize<List<object?>>(ref reader, options),
            JsonTokenType.StartObject => JsonSerializer.Deserialize<Dictionary<string, object?>>(ref reader, options),
            _ => null,
        };

    public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options)
    {
        if (value.GetType() == typeof(object))
        {
            throw new NotSupportedException();
        }
        JsonSerializer.Serialize(writer, value, value.GetType(), options);
    }
}

/// <summary>An exception is the text of its type and its message.</summary>
sealed class Thrown : JsonConverter<Exception>
{
    public override bool CanConvert(Type type) => typeof(Exception).IsAssignableFrom(type);

    public override Exception Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        throw new NotSupportedException();

    public override void Write(Utf8JsonWriter writer, Exception value, JsonSerializerOptions options) =>
        writer.WriteStringValue($"{value.GetType().Name}: {value.Message}");
}

/// <summary>What is declared by an interface or an abstract class is written as what it is.</summary>
sealed class AsItIs : Family
{
    protected override Type Open => typeof(AsItIs<>);

    public override bool CanConvert(Type type) => (type.IsAbstract || type.IsInterface)
        && !typeof(IEnumerable).IsAssignableFrom(type) && !Union.IsUnion(type)
        && !type.FullName!.StartsWith("System.Text.Json") && !typeof(Delegate).IsAssignableFrom(type)
        && !typeof(Type).IsAssignableFrom(type);
}

sealed class AsItIs<T> : JsonConverter<T>
{
    public override T Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        throw new NotSupportedException($"{type.Name} is abstract");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, value!.GetType(), options);
}
