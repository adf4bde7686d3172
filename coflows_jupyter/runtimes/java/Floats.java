// Floating-point numbers as Python's JSON library writes them: the shortest digits that give the number again, found as
// in Raffaello Giulietti, "The Schubfach way to render doubles" (2021). What Java itself does so only since version 19.

package app.coflows;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

final class Floats {
    private static final int LONGEST = 16; // digits before the point that are written out
    private static final int MANTISSA = 52;
    private static final int SMALLEST = -1074; // exponent of the smallest number
    private static final long HIDDEN = 1L << MANTISSA;
    private static final long LOW = Long.MAX_VALUE; // 63 bits
    private static final int FIRST = -324;
    private static final int LAST = 292;
    private static final long[] HIGHS = new long[LAST - FIRST + 1];
    private static final long[] LOWS = new long[LAST - FIRST + 1];

    static {
        // 10^-k, as the upper 126 bits of it, rounded up.
        for (var k = FIRST; k <= LAST; k++) {
            var shift = 125 - log2Pow10(-k);
            var power = BigInteger.TEN.pow(Math.abs(k));
            var bits = k > 0 ? BigInteger.ONE.shiftLeft(shift).divide(power)
                : shift >= 0 ? power.shiftLeft(shift) : power.shiftRight(-shift);
            bits = bits.add(BigInteger.ONE);
            HIGHS[k - FIRST] = bits.shiftRight(63).longValue();
            LOWS[k - FIRST] = bits.longValue() & LOW;
        }
    }

    private Floats() {}

    static String text(double value) {
        if (!Double.isFinite(value)) {
            return "null";
        }
        if (value == (long) value && Math.abs(value) < 1e15) {
            return (long) value == 0 && 1 / value < 0 ? "-0.0" : (long) value + ".0";
        }
        var bits = Double.doubleToRawLongBits(value);
        var exponent = (int) (bits >>> MANTISSA) & 0x7FF;
        var fraction = bits & HIDDEN - 1;
        var plain = exponent == 0 ? shortest(SMALLEST, fraction) : shortest(exponent - 1075, HIDDEN | fraction);
        return value < 0 ? "-" + plain : plain;
    }

    /** The text of {@code c} times two to the power of {@code q}. */
    private static String shortest(int q, long c) {
        var odd = (int) c & 1;
        var regular = c != HIDDEN || q == SMALLEST;
        var k = regular ? log10Pow2(q) : log10ThreeQuartersPow2(q);
        var shift = q + log2Pow10(-k) + 2;
        long high = HIGHS[k - FIRST];
        long low = LOWS[k - FIRST];
        var middle = c << 2;
        var value = round(high, low, middle << shift);
        var left = round(high, low, middle - (regular ? 2 : 1) << shift);
        var right = round(high, low, middle + 2 << shift);
        var below = value >> 2;
        if (below >= 10) {
            var tens = below / 10 * 10;
            var isLower = left + odd <= tens << 2;
            var isUpper = (tens + 10 << 2) + odd <= right;
            if (isLower != isUpper) {
                return plain(isLower ? tens : tens + 10, k);
            }
        }
        var above = below + 1;
        var isLower = left + odd <= below << 2;
        var isUpper = (above << 2) + odd <= right;
        if (isLower != isUpper) {
            return plain(isLower ? below : above, k);
        }
        var half = value - (below + above << 1);
        return plain(half < 0 || half == 0 && (below & 1) == 0 ? below : above, k);
    }

    private static long round(long high, long low, long factor) {
        var middle = (high * factor >>> 1) + Math.multiplyHigh(low, factor);
        var top = Math.multiplyHigh(high, factor) + (middle >>> 63);
        return top | (middle & LOW) + LOW >>> 63;
    }

    private static int log10Pow2(int e) {
        return (int) (e * 661_971_961_083L >> 41);
    }

    private static int log10ThreeQuartersPow2(int e) {
        return (int) (e * 661_971_961_083L - 274_743_187_321L >> 41);
    }

    private static int log2Pow10(int e) {
        return (int) (e * 913_124_641_741L >> 38);
    }

    static String text(float value) {
        if (!Float.isFinite(value)) {
            return "null";
        }
        var size = Math.abs(value);
        if (size == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        var exact = new BigDecimal(size);
        var digits = 1;
        var best = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
        while (best.floatValue() != size) {
            best = exact.round(new MathContext(++digits, RoundingMode.HALF_EVEN));
        }
        return (value < 0 ? "-" : "") + plain(best.unscaledValue().longValue(), -best.scale());
    }

    /** The text of a whole number times ten to the power of {@code exponent}. */
    private static String plain(long number, int exponent) {
        var digits = Long.toString(number);
        var size = digits.length();
        while (size > 1 && digits.charAt(size - 1) == '0') {
            size--;
        }
        var point = digits.length() + exponent;
        digits = digits.substring(0, size);
        if (point > 0 && point <= LONGEST) {
            return point >= size
                ? digits + "0".repeat(point - size) + ".0"
                : digits.substring(0, point) + "." + digits.substring(point);
        }
        if (point > -5 && point <= 0) {
            return "0." + "0".repeat(-point) + digits;
        }
        var power = point - 1;
        return digits.charAt(0) + (size > 1 ? "." + digits.substring(1) : "") + (power < 0 ? "e" : "e+") + power;
    }
}
