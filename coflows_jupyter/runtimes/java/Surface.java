// Which functions a class offers, and how the host describes them: types are trees that runtimes/typetrees.py reads.

package app.coflows;

import java.io.File;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.stream.BaseStream;
import java.util.stream.Collectors;

final class Surface {
    private static final int DEEPEST = 4;

    private static final Map<Class<?>, String> SCALARS = Map.ofEntries(
        Map.entry(boolean.class, "bool"), Map.entry(String.class, "text"), Map.entry(CharSequence.class, "text"),
        Map.entry(char.class, "char"), Map.entry(byte.class, "int8"), Map.entry(short.class, "int16"),
        Map.entry(int.class, "int32"), Map.entry(long.class, "int64"), Map.entry(BigInteger.class, "int"),
        Map.entry(float.class, "float"), Map.entry(double.class, "float"), Map.entry(Number.class, "float"),
        Map.entry(BigDecimal.class, "decimal"), Map.entry(LocalDateTime.class, "datetime"),
        Map.entry(OffsetDateTime.class, "datetime"), Map.entry(ZonedDateTime.class, "datetime"),
        Map.entry(Instant.class, "datetime"), Map.entry(Date.class, "datetime"), Map.entry(LocalDate.class, "date"),
        Map.entry(LocalTime.class, "time"), Map.entry(Duration.class, "duration"), Map.entry(UUID.class, "guid"),
        Map.entry(byte[].class, "bytes"), Map.entry(Path.class, "text"), Map.entry(File.class, "text"),
        Map.entry(void.class, "null"), Map.entry(Void.class, "null"));

    private static final Map<Class<?>, String> BOXES = Map.ofEntries(
        Map.entry(Boolean.class, "bool"), Map.entry(Character.class, "char"), Map.entry(Byte.class, "int8"),
        Map.entry(Short.class, "int16"), Map.entry(Integer.class, "int32"), Map.entry(Long.class, "int64"),
        Map.entry(Float.class, "float"), Map.entry(Double.class, "float"), Map.entry(OptionalInt.class, "int32"),
        Map.entry(OptionalLong.class, "int64"), Map.entry(OptionalDouble.class, "float"));

    private Surface() {}

    /** Returns the public methods of those classes that a file offers, by name and number of parameters. */
    static List<Method> functions(List<Class<?>> classes, String file) {
        var named = classes.stream().filter(type -> type.getSimpleName().equalsIgnoreCase(file)).toList();
        var open = classes.stream().filter(type -> Modifier.isPublic(type.getModifiers())).toList();
        return (!named.isEmpty() ? named : !open.isEmpty() ? open : classes).stream()
            .filter(type -> !type.isInterface() && !type.isEnum() && !type.isRecord())
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()).filter(method -> isOffered(method, type)))
            .sorted((one, other) -> one.getName().equals(other.getName())
                ? Integer.compare(one.getParameterCount(), other.getParameterCount())
                : one.getName().compareTo(other.getName()))
            .toList();
    }

    private static boolean isOffered(Method method, Class<?> type) {
        return Modifier.isPublic(method.getModifiers()) && !method.isSynthetic() && !method.isBridge()
            && (Modifier.isStatic(method.getModifiers()) || !Modifier.isAbstract(type.getModifiers()) && hasDefault(type));
    }

    private static boolean hasDefault(Class<?> type) {
        return Arrays.stream(type.getDeclaredConstructors()).anyMatch(made -> made.getParameterCount() == 0);
    }

    static Map<String, Object> describe(Method method, int number) {
        var result = method.getGenericReturnType();
        var inner = Future.class.isAssignableFrom(Values.raw(result)) ? Values.argument(result, 0) : result;
        return node(
            "number", number,
            "name", method.getName(),
            "type", method.getDeclaringClass().getName(),
            "returns", tree(inner, 0),
            "returned", spell(result),
            "parameters", Arrays.stream(method.getParameters()).map(Surface::describe).toList(),
            "cancellable", true,
            "line", 0);
    }

    private static Map<String, Object> describe(Parameter parameter) {
        var variadic = parameter.isVarArgs();
        var type = variadic ? item(parameter.getParameterizedType()) : parameter.getParameterizedType();
        return node(
            "name", parameter.getName(),
            "type", tree(type, 0),
            "spelled", spell(type),
            "variadic", variadic,
            "optional", Values.raw(type).getSimpleName().startsWith("Optional"));
    }

    /** Returns the type of an array's items. */
    static Type item(Type type) {
        return type instanceof GenericArrayType made ? made.getGenericComponentType()
            : Values.raw(type).getComponentType();
    }

    private static Map<String, Object> node(Object... parts) {
        var node = new LinkedHashMap<String, Object>();
        for (var place = 0; place < parts.length; place += 2) {
            node.put((String) parts[place], parts[place + 1]);
        }
        return node;
    }

    private static Map<String, Object> kind(String kind) {
        return node("kind", kind);
    }

    private static Map<String, Object> of(String kind, Map<String, Object> inner) {
        return node("kind", kind, "of", inner);
    }

    private static Map<String, Object> tree(Type type, int depth) {
        var raw = Values.raw(type);
        if (SCALARS.containsKey(raw)) {
            return kind(SCALARS.get(raw));
        }
        if (BOXES.containsKey(raw)) {
            return of("nullable", kind(BOXES.get(raw)));
        }
        if (depth > DEEPEST || raw == Object.class) {
            return kind("any");
        }
        if (raw == Optional.class) {
            return of("nullable", tree(Values.argument(type, 0), depth + 1));
        }
        if (raw.isEnum()) {
            var names = Arrays.stream(raw.getEnumConstants()).map(one -> ((Enum<?>) one).name()).toList();
            return node("kind", "enum", "names", names);
        }
        if (raw.isArray()) {
            return of("list", tree(item(type), depth + 1));
        }
        if (Map.class.isAssignableFrom(raw)) {
            return of("dict", tree(Values.argument(type, 1), depth + 1));
        }
        if (BaseStream.class.isAssignableFrom(raw) || Iterator.class.isAssignableFrom(raw)) {
            return kind("stream");
        }
        if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) {
            return of(Set.class.isAssignableFrom(raw) ? "set" : "list", tree(Values.argument(type, 0), depth + 1));
        }
        return raw.isRecord() ? record(raw, depth) : kind("any");
    }

    private static Map<String, Object> record(Class<?> type, int depth) {
        var fields = new ArrayList<Map<String, Object>>();
        for (var component : type.getRecordComponents()) {
            fields.add(node(
                "name", component.getName(),
                "type", tree(component.getGenericType(), depth + 1),
                "required", component.getType() != Optional.class));
        }
        return node("kind", "record", "name", type.getSimpleName(), "fields", fields);
    }

    /** Writes a type as a source does, without packages. */
    static String spell(Type type) {
        if (type instanceof ParameterizedType made) {
            return Values.raw(made).getSimpleName() + Arrays.stream(made.getActualTypeArguments())
                .map(Surface::spell).collect(Collectors.joining(", ", "<", ">"));
        }
        return type instanceof Class<?> plain ? plain.getSimpleName()
            : type instanceof GenericArrayType array ? spell(array.getGenericComponentType()) + "[]"
            : Values.raw(type).getSimpleName();
    }
}
