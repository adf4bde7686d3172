// The cells of a notebook in C#, Visual Basic and F#, in the kernel's own process: names live on from cell to cell.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Linq.Expressions;
using System.Reflection;

namespace CoFlows.Cells;

/// <summary>What a compiler says; lines and columns are 1-based, those of the cell.</summary>
public sealed record Finding(int Line, int Column, string Severity, string Code, string Message);

/// <summary>What came of a cell.</summary>
public sealed class Outcome
{
    public bool Ok { get; init; }
    public Finding[] Findings { get; init; } = Array.Empty<Finding>();
    public object? Value { get; init; }
}

/// <summary>One language in a notebook.</summary>
public interface ISession
{
    /// <summary>Compiles and runs a cell; what it throws comes out as it is.</summary>
    Outcome Run(string code, string file);

    /// <summary>Gives a name a value of Python's.</summary>
    void Put(string name, object? value);

    /// <summary>The values of all names; a function is a delegate, or F#'s own.</summary>
    Dictionary<string, object?> Names();
}

/// <summary>Opens sessions, and what they share.</summary>
public static class Session
{
    static readonly Dictionary<string, object?> Values = new();

    public static ISession Open(string language, string[] references) => language switch
    {
        "csharp" => new CSharpSession(references),
        "vb" => new VisualBasicSession(references),
        _ => new FSharpSession(references),
    };

    /// <summary>Whether a value is a function of F#'s.</summary>
    public static bool IsFunction(object value)
    {
        for (var type = value.GetType(); type is not null; type = type.BaseType)
        {
            if (type.FullName?.StartsWith("Microsoft.FSharp.Core.FSharpFunc`2") == true)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether two values are one object, or equal numbers or texts.</summary>
    public static bool Same(object? one, object? other) =>
        ReferenceEquals(one, other) || (one is ValueType or string && one.Equals(other));

    public static object? Get(string name) => Values.GetValueOrDefault(name);

    public static void Set(string name, object? value) => Values[name] = value;

    internal static Delegate? Callable(MethodInfo method, object? target)
    {
        var types = method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType).ToArray();
        return method.IsGenericMethod || types.Any(type => type.IsByRef || type.IsPointer)
            ? null
            : method.CreateDelegate(Expression.GetDelegateType(types), method.IsStatic ? null : target);
    }

    /// <summary>The type of a value as C# spells it; one that can't be named is dynamic.</summary>
    internal static string Spelled(object? value)
    {
        var type = value?.GetType();
        return type is null || !type.IsVisible || type.Namespace == "Python.Runtime" ? "dynamic" : Spelled(type);
    }

    static string Spelled(Type type)
    {
        if (type.IsArray)
        {
            return $"{Spelled(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }
        if (type.IsNested)
        {
            return "dynamic";
        }
        var name = $"global::{(type.Namespace is { } space ? space + "." : "")}{type.Name.Split('`')[0]}";
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Spelled))}>" : name;
    }
}
