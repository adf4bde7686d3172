// Which functions a library offers, and how the host describes them: types are trees that runtimes/typetrees.py reads.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;

namespace CoFlows.Host;

public static class Surface
{
    const int Deepest = 4;

    static readonly Dictionary<Type, string> Words = new()
    {
        [typeof(bool)] = "bool", [typeof(string)] = "string", [typeof(char)] = "char", [typeof(object)] = "object",
        [typeof(sbyte)] = "sbyte", [typeof(byte)] = "byte", [typeof(short)] = "short", [typeof(ushort)] = "ushort",
        [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong",
        [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal", [typeof(void)] = "void",
    };

    static readonly Dictionary<Type, string> Scalars = new()
    {
        [typeof(bool)] = "bool", [typeof(string)] = "text", [typeof(char)] = "char",
        [typeof(sbyte)] = "int8", [typeof(byte)] = "uint8", [typeof(short)] = "int16", [typeof(ushort)] = "uint16",
        [typeof(int)] = "int32", [typeof(uint)] = "uint32", [typeof(long)] = "int64", [typeof(ulong)] = "uint64",
        [typeof(Int128)] = "int", [typeof(UInt128)] = "int", [typeof(BigInteger)] = "int",
        [typeof(float)] = "float", [typeof(double)] = "float", [typeof(Half)] = "float", [typeof(decimal)] = "decimal",
        [typeof(DateTime)] = "datetime", [typeof(DateTimeOffset)] = "datetime", [typeof(DateOnly)] = "date",
        [typeof(TimeOnly)] = "time", [typeof(TimeSpan)] = "duration", [typeof(Guid)] = "guid",
        [typeof(byte[])] = "bytes", [typeof(void)] = "null", [typeof(Task)] = "null", [typeof(ValueTask)] = "null",
    };

    /// <summary>Returns the public static functions that a library defines, in the order of its source.</summary>
    public static IEnumerable<MethodInfo> Functions(Assembly assembly) => assembly.GetExportedTypes()
        .Where(type => !type.IsEnum && !type.IsGenericTypeDefinition && !IsGenerated(type) && !Union.IsPart(type))
        .SelectMany(type => type
            .GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(method => Union.IsValue(method) || !method.IsSpecialName && !IsGenerated(method))
            .Where(method => !method.IsGenericMethodDefinition)
            .Where(method => method.GetParameters().All(p => !p.ParameterType.IsByRef && !p.ParameterType.IsPointer)))
        .OrderBy(method => method.MetadataToken);

    static bool IsGenerated(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute), false);

    public static JsonObject Describe(MethodInfo method, int number) => new()
    {
        ["number"] = number,
        ["name"] = Union.IsValue(method) ? method.Name[4..] : method.Name,
        ["type"] = method.DeclaringType!.FullName,
        ["returns"] = Tree(Inner(method.ReturnType), 0),
        ["returned"] = Spell(method.ReturnType),
        ["parameters"] = new JsonArray(method.GetParameters()
            .Where(parameter => parameter.ParameterType != typeof(CancellationToken))
            .Select(parameter => (JsonNode)Describe(parameter)).ToArray()),
        ["cancellable"] = method.GetParameters().Any(p => p.ParameterType == typeof(CancellationToken)),
        ["line"] = Symbols.Line(method),
    };

    static JsonObject Describe(ParameterInfo parameter)
    {
        var rest = Rest((MethodInfo)parameter.Member);
        var variadic = rest is not null && parameter.Position == ((MethodInfo)parameter.Member).GetParameters().Length - 1;
        var type = variadic ? rest! : parameter.ParameterType;
        var tree = Tree(type, 0);
        if (!type.IsValueType && !variadic
            && new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable)
        {
            tree = new JsonObject { ["kind"] = "nullable", ["of"] = tree };
        }
        var described = new JsonObject
        {
            ["name"] = parameter.Name, ["type"] = tree, ["spelled"] = Spell(type), ["variadic"] = variadic,
            ["optional"] = parameter.HasDefaultValue || Union.IsOption(parameter.ParameterType) && parameter.IsOptional,
        };
        if (parameter.HasDefaultValue && Json.Text(Default(parameter)) is { } text)
        {
            described["default"] = text;
        }
        return described;
    }

    /// <summary>Returns what a parameter is when a call leaves it out.</summary>
    public static object? Default(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var value = parameter.HasDefaultValue ? parameter.DefaultValue : null;
        if (value is null)
        {
            return type.IsValueType && Nullable.GetUnderlyingType(type) is null ? Activator.CreateInstance(type) : null;
        }
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return inner.IsEnum ? Enum.ToObject(inner, value) : value;
    }

    /// <summary>Returns the type of the items of a `params` array, if the function has one.</summary>
    public static Type? Rest(MethodInfo method) =>
        method.GetParameters().LastOrDefault() is { } last && last.IsDefined(typeof(ParamArrayAttribute), false)
            ? last.ParameterType.GetElementType()
            : null;

    static Type Inner(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() is var made
        && (made == typeof(Task<>) || made == typeof(ValueTask<>) || Union.IsAsync(type))
            ? type.GetGenericArguments()[0]
            : type;

    static JsonObject Node(string kind, params (string, JsonNode?)[] more)
    {
        var node = new JsonObject { ["kind"] = kind };
        foreach (var (name, value) in more)
        {
            node[name] = value;
        }
        return node;
    }

    static JsonObject Tree(Type type, int depth)
    {
        if (Scalars.TryGetValue(type, out var word))
        {
            return Node(word);
        }
        if (depth > Deepest || type == typeof(object))
        {
            return Node("any");
        }
        if ((Nullable.GetUnderlyingType(type) ?? Union.Optional(type)) is { } inner)
        {
            return Node("nullable", ("of", Tree(inner, depth + 1)));
        }
        if (type.IsEnum)
        {
            return Node("enum", ("names", new JsonArray(Enum.GetNames(type).Select(n => (JsonNode)n!).ToArray())));
        }
        if (typeof(ITuple).IsAssignableFrom(type))
        {
            var items = type.GetGenericArguments().Select(item => (JsonNode)Tree(item, depth + 1)).ToArray();
            return Node("tuple", ("items", new JsonArray(items)));
        }
        if ((Implemented(type, typeof(IDictionary<,>)) ?? Implemented(type, typeof(IReadOnlyDictionary<,>))) is { } map)
        {
            return Node("dict", ("of", Tree(map.GetGenericArguments()[1], depth + 1)));
        }
        if (Implemented(type, typeof(IAsyncEnumerable<>)) is not null)
        {
            return Node("stream");
        }
        if (Implemented(type, typeof(IEnumerable<>)) is { } list)
        {
            var item = type.IsArray ? type.GetArrayRank() == 1 ? type.GetElementType()! : typeof(object)
                : list.GetGenericArguments()[0];
            var set = Implemented(type, typeof(ISet<>)) is not null;
            return Node(set ? "set" : "list", ("of", Tree(item, depth + 1)));
        }
        if (typeof(IEnumerable).IsAssignableFrom(type) || type == typeof(System.Data.DataTable))
        {
            return Node("list", ("of", Node("any")));
        }
        return type.Namespace?.StartsWith("System") == true || type.IsAbstract || type.IsPrimitive || Union.IsUnion(type)
            ? Node("any")
            : Node("record", ("name", type.Name), ("fields", Fields(type, depth)));
    }

    static JsonArray Fields(Type type, int depth)
    {
        var made = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).FirstOrDefault();
        var taken = made?.GetParameters() ?? [];
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0)
            .Select(p => (Member: (MemberInfo)p, Type: p.PropertyType, Settable: p.CanWrite));
        var fields = type.GetFields(BindingFlags.Public | BindingFlags.Instance)
            .Select(f => (Member: (MemberInfo)f, Type: f.FieldType, Settable: !f.IsInitOnly));
        var found = new JsonArray();
        foreach (var (member, kind, settable) in properties.Concat(fields))
        {
            var argument = taken.FirstOrDefault(p => p.Name!.Equals(member.Name, StringComparison.OrdinalIgnoreCase));
            if (!settable && argument is null)
            {
                continue; // it is worked out of the others
            }
            var required = argument is { HasDefaultValue: false } && Union.Optional(kind) is null
                || member.IsDefined(typeof(RequiredMemberAttribute), false);
            found.Add(new JsonObject
            {
                ["name"] = member.Name, ["type"] = Tree(kind, depth + 1), ["required"] = required,
            });
        }
        return found;
    }

    static Type? Implemented(Type type, Type open) => type.GetInterfaces().Prepend(type)
        .FirstOrDefault(face => face.IsGenericType && face.GetGenericTypeDefinition() == open);

    /// <summary>Writes a type as C# does.</summary>
    public static string Spell(Type type)
    {
        if (Words.TryGetValue(type, out var word))
        {
            return word;
        }
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Spell(inner) + "?";
        }
        if (type.IsArray)
        {
            return $"{Spell(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }
        if (!type.IsGenericType)
        {
            return type.Name;
        }
        var arguments = string.Join(", ", type.GetGenericArguments().Select(Spell));
        return type.Name.StartsWith("ValueTuple`") ? $"({arguments})" : $"{type.Name.Split('`')[0]}<{arguments}>";
    }
}

/// <summary>What symbols say of functions: the first line of their code.</summary>
static class Symbols
{
    static readonly ConditionalWeakTable<Assembly, MetadataReaderProvider> Readers = new();

    public static int Line(MethodInfo method)
    {
        try
        {
            var reader = Readers.GetValue(method.Module.Assembly, assembly => MetadataReaderProvider
                .FromPortablePdbStream(System.IO.File.OpenRead(System.IO.Path.ChangeExtension(assembly.Location, ".pdb"))))
                .GetMetadataReader();
            var handle = (MethodDefinitionHandle)System.Reflection.Metadata.Ecma335.MetadataTokens
                .EntityHandle(method.MetadataToken);
            return reader.GetMethodDebugInformation(handle.ToDebugInformationHandle()).GetSequencePoints()
                .Where(point => !point.IsHidden).Select(point => point.StartLine).FirstOrDefault();
        }
        catch (Exception) // no symbols: the function is there all the same
        {
            return 0;
        }
    }
}
