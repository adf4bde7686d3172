package app.coflows;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What an object is made of: a record's components, public fields, and what getters answer. */
final class Shape {
    /** A named part of an object. */
    record Part(String name, Function<Object, Object> getter) {
        Object of(Object whole) {
            return getter.apply(whole);
        }
    }

    private static final ClassValue<Shape> KNOWN = new ClassValue<>() {
        @Override
        protected Shape computeValue(Class<?> type) {
            return new Shape(type);
        }
    };

    private final List<Part> parts;

    private Shape(Class<?> type) {
        parts = isCode(type) ? List.of() : type.isRecord() ? components(type) : properties(type);
    }

    static Shape of(Class<?> type) {
        return KNOWN.get(type);
    }

    List<Part> parts() {
        return parts;
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    /** Functions, threads, class loaders and what belongs to the machine are no data. */
    private static boolean isCode(Class<?> type) {
        return type.isHidden() || type.isSynthetic() || type == Object.class || type == Class.class
            || type.getName().startsWith("java.") && !type.isRecord() || type.getName().startsWith("jdk.")
            || type.getName().startsWith("sun.");
    }

    private static List<Part> components(Class<?> type) {
        var found = new ArrayList<Part>();
        for (RecordComponent component : type.getRecordComponents()) {
            var accessor = component.getAccessor();
            found.add(new Part(component.getName(), whole -> get(accessor, whole)));
        }
        return found;
    }

    private static List<Part> properties(Class<?> type) {
        Map<String, Method> getters = new LinkedHashMap<>();
        Arrays.stream(type.getMethods())
            .filter(method -> method.getParameterCount() == 0 && !Modifier.isStatic(method.getModifiers()))
            .filter(method -> method.getDeclaringClass() != Object.class && !method.isSynthetic())
            .sorted((one, other) -> one.getName().compareTo(other.getName()))
            .forEach(method -> property(method).ifPresent(name -> getters.putIfAbsent(name, method)));
        var found = new LinkedHashMap<String, Part>();
        for (var field : fields(type)) {
            var name = field.getName();
            var getter = getters.remove(name);
            if (getter != null) {
                found.put(name, new Part(name, whole -> get(getter, whole)));
            } else if (Modifier.isPublic(field.getModifiers())) {
                found.put(name, new Part(name, whole -> get(field, whole)));
            }
        }
        getters.forEach((name, getter) -> found.putIfAbsent(name, new Part(name, whole -> get(getter, whole))));
        return List.copyOf(found.values());
    }

    private static List<Field> fields(Class<?> type) {
        var found = new ArrayList<Field>();
        if (type.getSuperclass() != null && type.getSuperclass() != Object.class) {
            found.addAll(fields(type.getSuperclass()));
        }
        for (var field : type.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic() && !field.getName().startsWith("_")) {
                found.add(field);
            }
        }
        return found;
    }

    private static java.util.Optional<String> property(Method method) {
        var name = method.getName();
        var start = name.startsWith("get") ? 3
            : name.startsWith("is") && method.getReturnType() == boolean.class ? 2 : name.length();
        if (start == name.length() || Character.isLowerCase(name.charAt(start)) || method.getReturnType() == void.class) {
            return java.util.Optional.empty();
        }
        return java.util.Optional.of(Character.toLowerCase(name.charAt(start)) + name.substring(start + 1));
    }

    private static Object get(Method getter, Object whole) {
        try {
            getter.setAccessible(true);
            return getter.invoke(whole);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error.getCause() == null ? error : error.getCause());
        }
    }

    private static Object get(Field field, Object whole) {
        try {
            field.setAccessible(true);
            return field.get(whole);
        } catch (IllegalAccessException error) {
            throw new IllegalStateException(error);
        }
    }
}
