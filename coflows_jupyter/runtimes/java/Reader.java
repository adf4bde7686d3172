package app.coflows;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON that the host wrote, which is strict: objects become maps, arrays lists, numbers Long, BigInteger or, with
 * all their digits, BigDecimal.
 */
final class Reader {
    private final byte[] data;
    private final int end;
    private int place;

    private Reader(byte[] data, int end) {
        this.data = data;
        this.end = end;
    }

    static Object read(byte[] data) {
        return read(data, data.length);
    }

    static Object read(byte[] data, int end) {
        return new Reader(data, end).value();
    }

    private Object value() {
        return switch (data[place]) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> text();
            case 't' -> skip(4, true);
            case 'f' -> skip(5, false);
            case 'n' -> skip(4, null);
            default -> number();
        };
    }

    private Object skip(int size, Object value) {
        place += size;
        return value;
    }

    private boolean follows(char wanted) {
        if (data[place] == wanted) {
            place++;
            return true;
        }
        return false;
    }

    private Map<String, Object> object() {
        var found = new LinkedHashMap<String, Object>();
        place++;
        if (follows('}')) {
            return found;
        }
        do {
            var name = text();
            place++; // the colon
            found.put(name, value());
        } while (follows(','));
        place++;
        return found;
    }

    private List<Object> array() {
        var found = new ArrayList<Object>();
        place++;
        if (follows(']')) {
            return found;
        }
        do {
            found.add(value());
        } while (follows(','));
        place++;
        return found;
    }

    private String text() {
        var start = ++place;
        while (data[place] != '"') {
            if (data[place] == '\\') {
                return escaped(start);
            }
            place++;
        }
        return new String(data, start, place++ - start, StandardCharsets.UTF_8);
    }

    private String escaped(int start) {
        var made = new StringBuilder(new String(data, start, place - start, StandardCharsets.UTF_8));
        while (data[place] != '"') {
            if (data[place] == '\\') {
                place++;
                made.append(escape((char) data[place++]));
            } else {
                var from = place;
                while (data[place] != '"' && data[place] != '\\') {
                    place++;
                }
                made.append(new String(data, from, place - from, StandardCharsets.UTF_8));
            }
        }
        place++;
        return made.toString();
    }

    private char escape(char kind) {
        return switch (kind) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'u' -> {
                place += 4;
                yield (char) Integer.parseInt(new String(data, place - 4, 4, StandardCharsets.US_ASCII), 16);
            }
            default -> kind;
        };
    }

    private Number number() {
        var start = place;
        var whole = true;
        while (place < end && data[place] != ',' && data[place] != ']' && data[place] != '}') {
            whole &= data[place] != '.' && data[place] != 'e' && data[place] != 'E';
            place++;
        }
        if (!whole) {
            var made = new BigDecimal(new String(data, start, place - start, StandardCharsets.US_ASCII));
            return made.signum() == 0 && data[start] == '-' ? (Number) (-0.0) : made;
        }
        if (place - start > 18) {
            return narrow(new BigInteger(new String(data, start, place - start, StandardCharsets.US_ASCII)));
        }
        var negative = data[start] == '-';
        var sum = 0L;
        for (var digit = negative ? start + 1 : start; digit < place; digit++) {
            sum = sum * 10 + data[digit] - '0';
        }
        return negative ? -sum : sum;
    }

    private static Number narrow(BigInteger value) {
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
    }
}
