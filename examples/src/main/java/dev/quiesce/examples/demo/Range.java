package dev.quiesce.examples.demo;

import java.math.BigInteger;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The whole numbers that an option takes. What is no number, and what is out of range, is answered
 * with the range and the value.
 */
abstract class Range<T> implements ITypeConverter<T> {
    private final long least;
    private final long most;

    Range(long least, long most) {
        this.least = least;
        this.most = most;
    }

    @Override
    public final T convert(String value) {
        BigInteger number;
        try {
            number = new BigInteger(value.strip());
        } catch (NumberFormatException e) {
            throw refused("'" + value + "'");
        }
        if (number.compareTo(BigInteger.valueOf(least)) < 0
                || number.compareTo(BigInteger.valueOf(most)) > 0) {
            throw refused(value);
        }
        return of(number);
    }

    abstract T of(BigInteger number);

    private TypeConversionException refused(String value) {
        return new TypeConversionException("must be " + least + ".." + most + ", is " + value);
    }

    /** An {@code int}. */
    private abstract static class OfInt extends Range<Integer> {
        OfInt(int least, int most) {
            super(least, most);
        }

        @Override
        final Integer of(BigInteger number) {
            return number.intValueExact();
        }
    }

    /** A {@code long}. */
    private abstract static class OfLong extends Range<Long> {
        OfLong(long least) {
            super(least, Long.MAX_VALUE);
        }

        @Override
        final Long of(BigInteger number) {
            return number.longValueExact();
        }
    }

    /** As many as the bus has targets. */
    static final class Luns extends OfInt {
        Luns() {
            super(1, 256);
        }
    }

    /** Far fewer than the device may have: each takes guest memory. */
    static final class Queues extends OfInt {
        Queues() {
            super(1, 64);
        }
    }

    /** None, or some. */
    static final class IoThreads extends OfInt {
        IoThreads() {
            super(0, 64);
        }
    }

    /** As many as a ring of the mock guest has entries. */
    static final class Depth extends OfInt {
        Depth() {
            super(1, 128);
        }
    }

    /** Up to a day. */
    static final class Seconds extends OfInt {
        Seconds() {
            super(0, 86_400);
        }
    }

    /** Any. */
    static final class Seed extends OfLong {
        Seed() {
            super(Long.MIN_VALUE);
        }
    }

    /** At least one. */
    static final class Steps extends OfLong {
        Steps() {
            super(1);
        }
    }
}
