package dev.quiesce.testkit.guest;

/**
 * Something in the used ring that no device may do.
 *
 * @param kind what
 * @param usedIndex the free-running used index at which it was found
 * @param value the id, length or index in question, unsigned
 */
public record RingViolation(Kind kind, int usedIndex, long value) {

    /** What a device can do wrong. */
    public enum Kind {
        /**
         * The used index moved by more than there are chains outstanding; the driver stops
         * looking.
         */
        INDEX_JUMP,
        /** A used id is no descriptor index. */
        ID_OUT_OF_RANGE,
        /** A used id is not outstanding: answered twice, or never asked. */
        NOT_OUTSTANDING,
        /** More bytes were written than the chain has room for. */
        TOO_LONG
    }
}
