// The JSON form of values: the same bytes that jsonform.py writes for the same value in Python. docs/java.md has the
// table, tests/java/test_conformance.py holds both sides to it.

package app.coflows;

import java.io.File;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/** Writes values as strict JSON in UTF-8. */
public final class Json {
    private static final int DEEPEST = 200;
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};
    private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss");
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");

    private byte[] bytes = new byte[256];
    private int size;
    private int depth;

    /** Returns a value as JSON. */
    public static byte[] of(Object value) {
        var json = new Json();
        json.value(value);
        return Arrays.copyOf(json.bytes, json.size);
    }

    private void value(Object value) {
        if (value == null) {
            raw(NULL);
        } else if (value instanceof String text) {
            text(text);
        } else if (value instanceof Integer || value instanceof Long || value instanceof Boolean
                || value instanceof Short || value instanceof Byte || value instanceof BigInteger
                || value instanceof AtomicBoolean) {
            ascii(value.toString());
        } else if (value instanceof Double number) {
            ascii(Floats.text(number));
        } else if (value instanceof Float number) {
            ascii(Floats.text(number));
        } else if (value instanceof BigDecimal number) {
            ascii(number.toString());
        } else if (value instanceof Number) { // java.util.concurrent.atomic and whatever else counts
            number((Number) value);
        } else {
            if (++depth > DEEPEST) {
                throw new NoForm("the result has no JSON form: it contains itself, or is nested too deep");
            }
            made(value);
            depth--;
        }
    }

    private void number(Number value) {
        var name = value.getClass().getName();
        if (name.startsWith("java.util.concurrent.atomic.") && !name.contains("Double")) {
            ascii(Long.toString(value.longValue()));
        } else {
            ascii(Floats.text(value.doubleValue()));
        }
    }

    private void made(Object value) {
        var type = value.getClass();
        var moment = moment(value);
        if (value instanceof Character) {
            text(value.toString());
        } else if (type.isArray()) {
            array(value);
        } else if (value instanceof Map<?, ?> map) {
            object(map);
        } else if (value instanceof Set<?> set) {
            list(sorted(set));
        } else if (value instanceof Path || value instanceof File || value instanceof UUID) {
            text(value.toString());
        } else if (value instanceof Iterable<?> items) {
            list(items);
        } else if (value instanceof Enum<?> one) {
            text(one.name());
        } else if (value instanceof Optional<?> one) {
            value(one.orElse(null));
        } else if (value instanceof OptionalInt one) {
            value(one.isPresent() ? one.getAsInt() : null);
        } else if (value instanceof OptionalLong one) {
            value(one.isPresent() ? one.getAsLong() : null);
        } else if (value instanceof OptionalDouble one) {
            value(one.isPresent() ? one.getAsDouble() : null);
        } else if (moment != null) {
            text(moment);
        } else if (value instanceof Throwable error) {
            text(type.getSimpleName() + ": " + error.getMessage());
        } else {
            record(value, Shape.of(type));
        }
    }

    private static String moment(Object value) {
        if (value instanceof LocalDateTime moment) {
            return MOMENT.format(moment) + fraction(moment.getNano());
        } else if (value instanceof OffsetDateTime moment) {
            return MOMENT.format(moment) + fraction(moment.getNano()) + offset(moment.getOffset());
        } else if (value instanceof ZonedDateTime moment) {
            return moment(moment.toOffsetDateTime());
        } else if (value instanceof Instant moment) {
            return moment(moment.atOffset(ZoneOffset.UTC));
        } else if (value instanceof java.sql.Date || value instanceof LocalDate) {
            return value.toString();
        } else if (value instanceof Date moment) {
            return moment(Instant.ofEpochMilli(moment.getTime()));
        } else if (value instanceof LocalTime clock) {
            return CLOCK.format(clock) + fraction(clock.getNano());
        } else if (value instanceof Duration span) {
            return duration(span);
        }
        return null;
    }

    private static String fraction(int nanos) {
        return nanos == 0 ? ""
            : nanos % 1000 == 0 ? String.format(".%06d", nanos / 1000) : String.format(".%09d", nanos);
    }

    private static String offset(ZoneOffset offset) {
        return offset.getTotalSeconds() == 0 ? "+00:00" : offset.getId();
    }

    private static String duration(Duration span) {
        var size = span.abs();
        var rest = fraction(size.getNano());
        while (rest.endsWith("0")) {
            rest = rest.substring(0, rest.length() - 1);
        }
        return (span.isNegative() ? "-P" : "P") + size.toDays() + "DT" + size.getSeconds() % 86_400 + rest + "S";
    }

    private void record(Object value, Shape shape) {
        if (shape.isEmpty()) {
            var name = Surface.spell(value.getClass());
            throw new NoForm("a value of type " + name + " has no JSON form; return its parts");
        }
        put('{');
        var first = true;
        for (var part : shape.parts()) {
            if (!first) {
                put(',');
            }
            first = false;
            text(part.name());
            put(':');
            value(part.of(value));
        }
        put('}');
    }

    private void object(Map<?, ?> map) {
        put('{');
        var first = true;
        for (var entry : map.entrySet()) {
            if (!first) {
                put(',');
            }
            first = false;
            text(key(entry.getKey()));
            put(':');
            value(entry.getValue());
        }
        put('}');
    }

    private static String key(Object key) {
        if (key instanceof String text) {
            return text;
        }
        var text = new String(of(key), StandardCharsets.UTF_8);
        return text.startsWith("\"") ? String.valueOf(Reader.read(text.getBytes(StandardCharsets.UTF_8))) : text;
    }

    private void list(Iterable<?> items) {
        put('[');
        var first = true;
        for (var item : items) {
            if (!first) {
                put(',');
            }
            first = false;
            value(item);
        }
        put(']');
    }

    private void array(Object array) {
        if (array instanceof byte[] data) {
            text(Base64.getEncoder().encodeToString(data));
            return;
        }
        put('[');
        for (int place = 0, length = Array.getLength(array); place < length; place++) {
            if (place > 0) {
                put(',');
            }
            value(Array.get(array, place));
        }
        put(']');
    }

    /** Equal sets are equal texts, where their items have an order. */
    private static List<?> sorted(Set<?> set) {
        var items = new ArrayList<Object>(set);
        if (items.stream().allMatch(item -> item instanceof Comparable)
                && items.stream().map(Object::getClass).distinct().count() == 1) {
            @SuppressWarnings("unchecked")
            var order = (Comparator<Object>) (Comparator<?>) Comparator.naturalOrder();
            items.sort(items.get(0) instanceof String ? Comparator.comparing(Object::toString, Json::byCode) : order);
        }
        return items;
    }

    private static int byCode(String one, String other) {
        return Arrays.compare(one.codePoints().toArray(), other.codePoints().toArray());
    }

    private void text(String text) {
        put('"');
        for (int place = 0, length = text.length(); place < length; place++) {
            var c = text.charAt(place);
            if (c == '"' || c == '\\') {
                put('\\');
                put(c);
            } else if (c >= ' ' && c < 0x80) {
                put(c);
            } else if (c < ' ') {
                control(c);
            } else if (c < 0x800) {
                put(0xC0 | c >> 6);
                put(0x80 | c & 0x3F);
            } else if (!Character.isSurrogate(c)) {
                put(0xE0 | c >> 12);
                put(0x80 | c >> 6 & 0x3F);
                put(0x80 | c & 0x3F);
            } else if (Character.isHighSurrogate(c) && place + 1 < length
                    && Character.isLowSurrogate(text.charAt(place + 1))) {
                var code = Character.toCodePoint(c, text.charAt(++place));
                put(0xF0 | code >> 18);
                put(0x80 | code >> 12 & 0x3F);
                put(0x80 | code >> 6 & 0x3F);
                put(0x80 | code & 0x3F);
            } else {
                put('?'); // half a character has no UTF-8
            }
        }
        put('"');
    }

    private void control(char c) {
        put('\\');
        switch (c) {
            case '\n' -> put('n');
            case '\r' -> put('r');
            case '\t' -> put('t');
            case '\b' -> put('b');
            case '\f' -> put('f');
            default -> {
                put('u');
                put('0');
                put('0');
                put(HEX[c >> 4]);
                put(HEX[c & 15]);
            }
        }
    }

    private void put(int one) {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, size * 2);
        }
        bytes[size++] = (byte) one;
    }

    private void ascii(String text) {
        for (int place = 0, length = text.length(); place < length; place++) {
            put(text.charAt(place));
        }
    }

    private void raw(byte[] data) {
        for (var one : data) {
            put(one);
        }
    }
}
