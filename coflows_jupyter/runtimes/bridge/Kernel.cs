// What code of the original finds in `QuantApp.Kernel`: M sets, and who may what. The sets are those that Python has;
// values cross as JSON and come back as numbers, texts, lists and dictionaries.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using CoFlows.Host;

namespace CoFlows.Host
{
    /// <summary>Asks the Python side of this process, in the name of the call that runs here.</summary>
    public static class Kernel
    {
        /// <summary>Takes the call, what is asked, and a JSON array of arguments; gives JSON.</summary>
        public static Func<long, string, string, string>? Asker { get; set; }

        public static T? Ask<T>(string what, params object?[] arguments)
        {
            var text = JsonSerializer.Serialize(arguments, Json.Options);
            return JsonSerializer.Deserialize<T>(Asker!(Bridge.Current.Value, what, text), Json.Options);
        }
    }
}

namespace QuantApp.Kernel
{
    /// <summary>Is told of an entry: its ID and its value.</summary>
    public delegate void MCallback(string id, object data);

    /// <summary>Levels of permission.</summary>
    public enum AccessType
    {
        Invited = -2, Denied = -1, View = 0, Read = 1, Write = 2,
    }

    /// <summary>A persistent set of values that all of a Workflow's processes share.</summary>
    public sealed class M
    {
        M(string id) => ID = id;

        public string ID { get; }

        public static M Base(string id, Type? type = null) => new(id);

        /// <summary>Adds a value and returns the ID of its entry; null when it is there or may not be added.</summary>
        public string? Add(object? value) => value is null ? null : Ask<string>("Add", value);

        public void AddID(string key, object value, Type? type = null, string? assembly = null, bool update = true) =>
            Ask<object>("AddID", key, value);

        public void Exchange(object old, object value) => Ask<object>("Exchange", old, value);

        public void ExchangeID(
            string key, object value, Type? type = null, string? assembly = null, bool update = true) =>
            Ask<object>("ExchangeID", key, value);

        public void Remove(object value) => Ask<object>("Remove", value);

        public void RemoveID(string key, bool update = true) => Ask<object>("RemoveID", key);

        /// <summary>Does nothing: what is added is stored.</summary>
        public M Save() => this;

        public void Delete(bool onlyMemory = false) => Ask<object>("Delete", onlyMemory);

        public List<KeyValuePair<string, object?>> KeyValues() => Ask<object?[][]>("KeyValues")!
            .Select(entry => KeyValuePair.Create((string)entry[0]!, entry[1])).ToList();

        public List<object?> this[Func<object?, bool> predicate] => Query(predicate);

        public List<object?> Query(Func<object?, bool> predicate) =>
            KeyValues().Select(entry => entry.Value).Where(predicate).ToList();

        public static M operator +(M set, object value)
        {
            set.Add(value);
            return set;
        }

        public static M operator -(M set, object value)
        {
            set.Remove(value);
            return set;
        }

        /// <summary>Returns a field of a value, or what is neutral where it has none of this type.</summary>
        public static T V<T>(object? value, string name)
        {
            var fields = C<Dictionary<string, object?>>(value);
            var neutral = typeof(T) == typeof(string) ? (T)(object)""
                : typeof(T) == typeof(int) ? (T)(object)int.MinValue
                : typeof(T) == typeof(double) ? (T)(object)double.NaN
                : default!;
            try
            {
                return fields is not null && fields.TryGetValue(name, out var found) && found is not null
                    ? C<T>(JsonSerializer.Serialize(found, Json.Options)) ?? neutral
                    : neutral;
            }
            catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
            {
                return neutral;
            }
        }

        /// <summary>Makes a value of a type of a value or of its JSON text.</summary>
        public static T? C<T>(object? value) => JsonSerializer.Deserialize<T>(
            value as string ?? JsonSerializer.Serialize(value, Json.Options), Json.Options);

        T? Ask<T>(string what, params object?[] arguments) => CoFlows.Host.Kernel.Ask<T>($"M.{what}", [ID, .. arguments]);
    }

    /// <summary>A person; all is empty when it is nobody.</summary>
    public record UserData(string ID, string Email, string FirstName, string LastName);

    /// <summary>Who calls, and what they may.</summary>
    public static class User
    {
        public static UserData ContextUser => GetContextUser();

        public static UserData GetContextUser() => CoFlows.Host.Kernel.Ask<UserData>("User.GetContextUser")!;

        public static UserData ContextUserBySecret(string secret) =>
            CoFlows.Host.Kernel.Ask<UserData>("User.ContextUserBySecret", secret)!;

        public static AccessType PermissionContext(string group) =>
            (AccessType)CoFlows.Host.Kernel.Ask<int>("User.PermissionContext", group);

        public static AccessType PermissionContext(string secret, string group) =>
            (AccessType)CoFlows.Host.Kernel.Ask<int>("User.PermissionContext", secret, group);
    }
}

namespace JVM
{
    /// <summary>Objects of Java's and Scala's.</summary>
    public static class Runtime
    {
        public static dynamic CreateInstance(string name, params object?[]? arguments) =>
            throw new NotSupportedException($"{name} can't be made: this version runs no Java and no Scala");
    }
}
