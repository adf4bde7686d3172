// The JSON form of values: the same bytes that jsonform.py writes for the same value in Python. docs/dotnet.md has the
// table, tests/runtimes/test_conformance.py holds both sides to it.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Xml;

namespace CoFlows.Host;

public static class Json
{
    const int Deepest = 200;

    public static readonly JsonWriterOptions Writing = new()
    {
        Encoder = Escapes.Few, SkipValidation = true, MaxDepth = Deepest,
    };

    public static readonly JsonSerializerOptions Options = Make();

    static JsonSerializerOptions Make() => new()
    {
        Encoder = Escapes.Few, IncludeFields = true, PropertyNameCaseInsensitive = true, MaxDepth = Deepest,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { WithoutCode } },
        Converters =
        {
            new Float(), new Single(), new HalfFloat(), new Moment(), new ZonedMoment(), new Clock(), new Duration(),
            new Digits(), new Imaginary(), new Thrown(), new Anything(), new Table(),
            new JsonStringEnumConverter(), new Parts(), new Grid(), new Sorted(), new Cases(), new AsItIs(),
        },
    };

    // Functions, types and pointers are no data; Python leaves callables out, too.
    static void WithoutCode(JsonTypeInfo type)
    {
        for (var place = type.Properties.Count - 1; place >= 0; place--)
        {
            var kind = type.Properties[place].PropertyType;
            if (typeof(Delegate).IsAssignableFrom(kind) || typeof(Type).IsAssignableFrom(kind)
                || kind.IsPointer || kind.IsByRefLike || kind == typeof(nint) || kind == typeof(nuint))
            {
                type.Properties.RemoveAt(place);
            }
        }
    }

    public static void Write(Utf8JsonWriter writer, object? value)
    {
        try
        {
            JsonSerializer.Serialize(writer, value, value?.GetType() ?? typeof(object), Options);
        }
        catch (JsonException)
        {
            throw new NoForm("the result has no JSON form: it contains itself, or is nested too deep");
        }
        catch (NotSupportedException)
        {
            var name = Surface.Spell(value!.GetType());
            throw new NoForm($"a value of type {name} has no JSON form; return its parts");
        }
    }

    /// <summary>Returns a value as JSON text, nothing when it has no such form.</summary>
    public static string? Text(object? value)
    {
        try
        {
            return JsonSerializer.Serialize(value, value?.GetType() ?? typeof(object), Options);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>Escapes what JSON asks for and nothing else.</summary>
sealed class Escapes : JavaScriptEncoder
{
    public static readonly Escapes Few = new();

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override bool WillEncode(int scalar) => scalar is < 0x20 or '"' or '\\';

    public override unsafe int FindFirstCharacterToEncode(char* text, int length)
    {
        for (var place = 0; place < length; place++)
        {
            var found = text[place];
            if (found is < ' ' or '"' or '\\')
            {
                return place;
            }
            if (char.IsSurrogate(found))
            {
                if (!char.IsHighSurrogate(found) || place + 1 == length || !char.IsLowSurrogate(text[place + 1]))
                {
                    return place;
                }
                place++;
            }
        }
        return -1;
    }

    public override unsafe bool TryEncodeUnicodeScalar(int scalar, char* buffer, int length, out int written)
    {
        var text = scalar switch
        {
            '"' => "\\\"", '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\b' => "\\b", '\f' => "\\f",
            _ => scalar < 0x20 ? $"\\u{scalar:x4}" : char.ConvertFromUtf32(scalar),
        };
        written = 0;
        if (text.Length > length)
        {
            return false;
        }
        text.AsSpan().CopyTo(new Span<char>(buffer, length));
        written = text.Length;
        return true;
    }
}

/// <summary>Floating-point numbers as Python's JSON library writes them.</summary>
static class Numbers
{
    const int Longest = 16; // digits before the point that are written out

    public static void Write(Utf8JsonWriter writer, double value, ReadOnlySpan<byte> shortest)
    {
        if (!double.IsFinite(value))
        {
            writer.WriteNullValue();
            return;
        }
        var exponent = shortest.IndexOf((byte)'E');
        if (exponent < 0 && Math.Abs(value) < 1e16)
        {
            Span<byte> whole = stackalloc byte[shortest.Length + 2];
            shortest.CopyTo(whole);
            var size = shortest.Length;
            if (shortest.IndexOf((byte)'.') < 0)
            {
                whole[size++] = (byte)'.';
                whole[size++] = (byte)'0';
            }
            writer.WriteRawValue(whole[..size], skipInputValidation: true);
            return;
        }
        writer.WriteRawValue(Long(Encoding.ASCII.GetString(shortest)), skipInputValidation: true);
    }

    static string Long(string text)
    {
        var sign = text[0] == '-' ? "-" : "";
        var parts = text[sign.Length..].Split('E');
        var power = parts.Length > 1 ? int.Parse(parts[1]) : parts[0].Length - 1; // the latter is a whole number
        var digits = parts[0].Replace(".", "").TrimEnd('0');
        var point = power + 1;
        if (point is > 0 and <= Longest && point >= digits.Length)
        {
            return sign + digits.PadRight(point, '0') + ".0";
        }
        if (point is > 0 and <= Longest)
        {
            return $"{sign}{digits[..point]}.{digits[point..]}";
        }
        if (point is > -5 and <= 0)
        {
            return $"{sign}0.{new string('0', -point)}{digits}";
        }
        var mantissa = digits.Length > 1 ? $"{digits[0]}.{digits[1..]}" : digits;
        return $"{sign}{mantissa}e{(power < 0 ? "" : "+")}{power}";
    }

    public static double Read(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Null => double.NaN,
        JsonTokenType.String => double.Parse(reader.GetString()!, CultureInfo.InvariantCulture),
        _ => reader.GetDouble(),
    };
}

sealed class Float : JsonConverter<double>
{
    public override bool HandleNull => true;

    public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        Numbers.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[32];
        value.TryFormat(text, out var size, default, CultureInfo.InvariantCulture);
        Numbers.Write(writer, value, text[..size]);
    }
}

sealed class Single : JsonConverter<float>
{
    public override bool HandleNull => true;

    public override float Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        (float)Numbers.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, float value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[32];
        value.TryFormat(text, out var size, default, CultureInfo.InvariantCulture);
        Numbers.Write(writer, value, text[..size]);
    }
}

sealed class HalfFloat : JsonConverter<Half>
{
    public override Half Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        (Half)Numbers.Read(ref reader);

    public override void Write(Utf8JsonWriter writer, Half value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, (float)value, options);
}

/// <summary>Dates and times as ISO 8601, with six digits of a second where there are any.</summary>
static class Moments
{
    public static string Text(DateTime moment) =>
        moment.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + Fraction(moment.Ticks);

    public static string Fraction(long ticks)
    {
        var rest = ticks % TimeSpan.TicksPerSecond;
        return rest == 0 ? "" : rest % 10 == 0 ? $".{rest / 10:000000}" : $".{rest:0000000}";
    }

    public static string Offset(TimeSpan offset) =>
        (offset < TimeSpan.Zero ? "-" : "+") + offset.ToString("hh\\:mm", CultureInfo.InvariantCulture);
}

sealed class Moment : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        DateTime.Parse(reader.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Moments.Text(value) + value.Kind switch
        {
            DateTimeKind.Utc => "+00:00",
            DateTimeKind.Local => Moments.Offset(TimeZoneInfo.Local.GetUtcOffset(value)),
            _ => "",
        });
}

sealed class ZonedMoment : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        DateTimeOffset.Parse(reader.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Moments.Text(value.DateTime) + Moments.Offset(value.Offset));
}

sealed class Clock : JsonConverter<TimeOnly>
{
    public override TimeOnly Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        TimeOnly.Parse(reader.GetString()!, CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter writer, TimeOnly value, JsonSerializerOptions options) =>
        writer.WriteStringValue(
            value.ToString("HH\\:mm\\:ss", CultureInfo.InvariantCulture) + Moments.Fraction(value.Ticks));
}

/// <summary>Durations as ISO 8601 in days and seconds.</summary>
sealed class Duration : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var text = reader.GetString()!;
        return text.Contains('P') ? XmlConvert.ToTimeSpan(text) : TimeSpan.Parse(text, CultureInfo.InvariantCulture);
    }

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options)
    {
        var size = value.Duration();
        var seconds = size.Ticks % TimeSpan.TicksPerDay / TimeSpan.TicksPerSecond;
        var fraction = Moments.Fraction(size.Ticks).TrimEnd('0');
        writer.WriteStringValue($"{(value < TimeSpan.Zero ? "-" : "")}P{size.Days}DT{seconds}{fraction}S");
    }
}

sealed class Digits : JsonConverter<BigInteger>
{
    public override BigInteger Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        BigInteger.Parse(reader.TokenType == JsonTokenType.String
            ? reader.GetString()!
            : Encoding.ASCII.GetString(reader.ValueSpan), CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter writer, BigInteger value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.ToString(CultureInfo.InvariantCulture));
}

sealed class Imaginary : JsonConverter<Complex>
{
    public override Complex Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        return new(root.GetProperty("real").GetDouble(), root.GetProperty("imag").GetDouble());
    }

    public override void Write(Utf8JsonWriter writer, Complex value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("real");
        JsonSerializer.Serialize(writer, value.Real, options);
        writer.WritePropertyName("imag");
        JsonSerializer.Serialize(writer, value.Imaginary, options);
        writer.WriteEndObject();
    }
}
