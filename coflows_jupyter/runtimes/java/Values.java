package app.coflows;

import java.io.File;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Function;

/** Makes values of a type from what {@link Reader} reads. */
final class Values {
    private static final Map<Class<?>, Function<Number, Object>> NUMBERS = Map.ofEntries(
        Map.entry(byte.class, number -> whole(number).byteValueExact()),
        Map.entry(Byte.class, number -> whole(number).byteValueExact()),
        Map.entry(short.class, number -> whole(number).shortValueExact()),
        Map.entry(Short.class, number -> whole(number).shortValueExact()),
        Map.entry(int.class, number -> number instanceof Long one ? (Object) Math.toIntExact(one)
            : (Object) whole(number).intValueExact()),
        Map.entry(Integer.class, number -> whole(number).intValueExact()),
        Map.entry(long.class, number -> number instanceof Long one ? (Object) one : (Object) whole(number).longValueExact()),
        Map.entry(Long.class, number -> whole(number).longValueExact()),
        Map.entry(float.class, Number::floatValue),
        Map.entry(Float.class, Number::floatValue),
        Map.entry(double.class, Number::doubleValue),
        Map.entry(Double.class, Number::doubleValue),
        Map.entry(BigInteger.class, Values::whole),
        Map.entry(BigDecimal.class, number -> new BigDecimal(number.toString())),
        Map.entry(Number.class, Values::plain));

    private static final Map<Class<?>, Function<String, Object>> TEXTS = Map.ofEntries(
        Map.entry(String.class, text -> text),
        Map.entry(CharSequence.class, text -> text),
        Map.entry(char.class, text -> text.charAt(0)),
        Map.entry(Character.class, text -> text.charAt(0)),
        Map.entry(LocalDateTime.class, text -> hasZone(text)
            ? OffsetDateTime.parse(text).toLocalDateTime() : LocalDateTime.parse(text)),
        Map.entry(OffsetDateTime.class, Values::zoned),
        Map.entry(ZonedDateTime.class, text -> zoned(text).toZonedDateTime()),
        Map.entry(Instant.class, text -> zoned(text).toInstant()),
        Map.entry(Date.class, text -> Date.from(zoned(text).toInstant())),
        Map.entry(LocalDate.class, LocalDate::parse),
        Map.entry(LocalTime.class, LocalTime::parse),
        Map.entry(Duration.class, Duration::parse),
        Map.entry(UUID.class, UUID::fromString),
        Map.entry(Path.class, Path::of),
        Map.entry(File.class, File::new),
        Map.entry(byte[].class, Base64.getDecoder()::decode));

    private Values() {}

    /** Makes a value of a type; throws whatever tells why that can't be done. */
    static Object make(Object value, Type type) {
        var raw = raw(type);
        if (raw == Optional.class) {
            return value == null ? Optional.empty() : Optional.ofNullable(make(value, argument(type, 0)));
        }
        if (value == null) {
            return nothing(raw);
        }
        if (value instanceof Number number && NUMBERS.containsKey(raw)) {
            return NUMBERS.get(raw).apply(number);
        }
        if (value instanceof String text) {
            return ofText(text, raw);
        }
        if (value instanceof Boolean && (raw == boolean.class || raw.isInstance(value))) {
            return value;
        }
        if (raw == OptionalInt.class || raw == OptionalLong.class || raw == OptionalDouble.class) {
            var number = (Number) value;
            return raw == OptionalInt.class ? OptionalInt.of(whole(number).intValueExact())
                : raw == OptionalLong.class ? OptionalLong.of(whole(number).longValueExact())
                : OptionalDouble.of(number.doubleValue());
        }
        if (raw == Object.class) {
            return plain(value);
        }
        if (value instanceof List<?> items) {
            return ofItems(items, raw, type);
        }
        if (value instanceof Map<?, ?> map) {
            return ofNames(map, raw, type);
        }
        throw new IllegalArgumentException("a " + value.getClass().getSimpleName() + " is given");
    }

    private static Object nothing(Class<?> raw) {
        if (raw == double.class) {
            return Double.NaN;
        }
        if (raw == float.class) {
            return Float.NaN;
        }
        if (raw.isPrimitive()) {
            throw new IllegalArgumentException("null is given");
        }
        return raw == OptionalInt.class ? OptionalInt.empty() : raw == OptionalLong.class ? OptionalLong.empty()
            : raw == OptionalDouble.class ? OptionalDouble.empty() : null;
    }

    private static Object ofText(String text, Class<?> raw) {
        var made = TEXTS.get(raw);
        if (made != null) {
            return made.apply(text);
        }
        if (raw.isEnum()) {
            return Arrays.stream(raw.getEnumConstants()).filter(one -> ((Enum<?>) one).name().equals(text)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no " + text));
        }
        if (NUMBERS.containsKey(raw)) {
            return NUMBERS.get(raw).apply(new BigDecimal(text));
        }
        if (raw.isInstance(text)) {
            return text;
        }
        throw new IllegalArgumentException("a text is given");
    }

    private static Object ofItems(List<?> items, Class<?> raw, Type type) {
        if (raw.isArray()) {
            var item = type instanceof GenericArrayType made ? made.getGenericComponentType() : raw.getComponentType();
            var array = Array.newInstance(raw.getComponentType(), items.size());
            for (var place = 0; place < items.size(); place++) {
                Array.set(array, place, make(items.get(place), item));
            }
            return array;
        }
        Collection<Object> made = raw.isAssignableFrom(ArrayList.class) ? new ArrayList<>(items.size())
            : raw.isAssignableFrom(LinkedHashSet.class) ? new LinkedHashSet<>()
            : collection(raw);
        for (var item : items) {
            made.add(make(item, argument(type, 0)));
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> collection(Class<?> raw) {
        if (!Collection.class.isAssignableFrom(raw)) {
            throw new IllegalArgumentException("a list is given");
        }
        return (Collection<Object>) create(raw);
    }

    @SuppressWarnings("unchecked")
    private static Object ofNames(Map<?, ?> given, Class<?> raw, Type type) {
        if (Map.class.isAssignableFrom(raw)) {
            var map = raw.isAssignableFrom(LinkedHashMap.class)
                ? new LinkedHashMap<>() : (Map<Object, Object>) create(raw);
            given.forEach((name, value) -> map.put(make(name, argument(type, 0)), make(value, argument(type, 1))));
            return map;
        }
        return raw.isRecord() ? record(given, raw) : bean(given, raw);
    }

    private static Object record(Map<?, ?> given, Class<?> type) {
        RecordComponent[] components = type.getRecordComponents();
        var values = new Object[components.length];
        for (var place = 0; place < values.length; place++) {
            var name = components[place].getName();
            if (!given.containsKey(name) && components[place].getType() != Optional.class) {
                throw new IllegalArgumentException(name + " is missing");
            }
            values[place] = part(name, given.get(name), components[place].getGenericType());
        }
        try {
            var types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            Constructor<?> made = type.getDeclaredConstructor(types);
            made.setAccessible(true);
            return made.newInstance(values);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(why(error));
        }
    }

    private static Object bean(Map<?, ?> given, Class<?> type) {
        var made = create(type);
        for (var entry : given.entrySet()) {
            set(made, (String) entry.getKey(), entry.getValue());
        }
        return made;
    }

    private static void set(Object made, String name, Object value) {
        var setter = "set" + Character.toUpperCase(name.charAt(0)) + name.substring(1);
        try {
            for (var method : made.getClass().getMethods()) {
                if (method.getName().equals(setter) && method.getParameterCount() == 1) {
                    method.setAccessible(true);
                    method.invoke(made, part(name, value, method.getGenericParameterTypes()[0]));
                    return;
                }
            }
            var field = made.getClass().getField(name);
            if (Modifier.isStatic(field.getModifiers())) {
                throw new NoSuchFieldException(name);
            }
            field.setAccessible(true);
            field.set(made, part(name, value, field.getGenericType()));
        } catch (NoSuchFieldException error) {
            throw new IllegalArgumentException(made.getClass().getSimpleName() + " has no " + name);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(why(error));
        }
    }

    private static Object part(String name, Object value, Type type) {
        try {
            return make(value, type);
        } catch (RuntimeException error) {
            throw new IllegalArgumentException(name + ": " + error.getMessage());
        }
    }

    static Object create(Class<?> type) {
        try {
            var made = type.getDeclaredConstructor();
            made.setAccessible(true);
            return made.newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException("it has no constructor without parameters");
        }
    }

    private static String why(ReflectiveOperationException error) {
        return String.valueOf(error.getCause() == null ? error : error.getCause());
    }

    private static BigInteger whole(Number number) {
        return number instanceof BigInteger one ? one
            : number instanceof BigDecimal one ? one.toBigIntegerExact() : BigInteger.valueOf(number.longValue());
    }

    /** Returns what is asked for as Object: numbers with a point as Double. */
    private static Object plain(Object value) {
        if (value instanceof BigDecimal number) {
            return number.doubleValue();
        }
        if (value instanceof List<?> items) {
            var made = new ArrayList<Object>(items.size());
            items.forEach(item -> made.add(plain(item)));
            return made;
        }
        if (value instanceof Map<?, ?> map) {
            var made = new LinkedHashMap<Object, Object>();
            map.forEach((name, item) -> made.put(name, plain(item)));
            return made;
        }
        return value;
    }

    private static boolean hasZone(String text) {
        return text.endsWith("Z") || text.lastIndexOf('+') > 0 || text.lastIndexOf('-') > text.indexOf('T') && text.indexOf('T') > 0;
    }

    private static OffsetDateTime zoned(String text) {
        return hasZone(text) ? OffsetDateTime.parse(text) : LocalDateTime.parse(text).atOffset(ZoneOffset.UTC);
    }

    static Class<?> raw(Type type) {
        if (type instanceof Class<?> plain) {
            return plain;
        }
        if (type instanceof ParameterizedType made) {
            return (Class<?>) made.getRawType();
        }
        if (type instanceof GenericArrayType array) {
            return Array.newInstance(raw(array.getGenericComponentType()), 0).getClass();
        }
        return type instanceof WildcardType wild ? raw(wild.getUpperBounds()[0]) : Object.class;
    }

    static Type argument(Type type, int place) {
        return type instanceof ParameterizedType made && made.getActualTypeArguments().length > place
            ? made.getActualTypeArguments()[place] : Object.class;
    }
}
