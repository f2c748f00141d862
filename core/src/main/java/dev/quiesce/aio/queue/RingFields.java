package dev.quiesce.aio.queue;

/**
 * The hot fields of a {@link RingInbox}, those of the posters and that of the taker on cache lines
 * of their own: what one side writes for each item must not take away a line that the other side
 * reads or writes. A chain of classes, since only that keeps the order of fields.
 */
final class RingFields {
    private RingFields() {
    }

    /** Keeps what comes before away. */
    abstract static class LeadingPad<T> extends Inbox<T> {
        /** Fills the gap behind the header, where the first small field below would go. */
        int padGap;
        long pad00, pad01, pad02, pad03, pad04, pad05, pad06, pad07;
        long pad08, pad09, pad10, pad11, pad12, pad13, pad14;
    }

    /** Read by all, written when the array is replaced. */
    abstract static class Shared<T> extends LeadingPad<T> {
        /** A power of two of them. Replaced by the taker while the inbox is frozen and empty. */
        volatile Object[] slots;

        Shared(Object[] slots) {
            this.slots = slots;
        }
    }

    /** Between those and what posters write. */
    abstract static class PostersPad<T> extends Shared<T> {
        long pad20, pad21, pad22, pad23, pad24, pad25, pad26, pad27;
        long pad28, pad29, pad30, pad31, pad32, pad33, pad34;

        PostersPad(Object[] slots) {
            super(slots);
        }
    }

    /** Written by posters. */
    abstract static class Posters<T> extends PostersPad<T> {
        @SuppressWarnings("UnusedVariable") // read and written through RingInbox.TAIL
        long tail;
        @SuppressWarnings("UnusedVariable") // read and written through RingInbox.LIMIT
        long limit;

        Posters(Object[] slots) {
            super(slots);
        }
    }

    /** Between those and what the taker writes. */
    abstract static class TakerPad<T> extends Posters<T> {
        long pad40, pad41, pad42, pad43, pad44, pad45, pad46, pad47;
        long pad48, pad49, pad50, pad51, pad52, pad53, pad54;

        TakerPad(Object[] slots) {
            super(slots);
        }
    }

    /** Written by the taker for each batch. */
    abstract static class Taker<T> extends TakerPad<T> {
        long head;

        Taker(Object[] slots) {
            super(slots);
        }
    }

    /** Between that and what comes behind the inbox, such as an array whose length posters read. */
    abstract static class TrailingPad<T> extends Taker<T> {
        long pad60, pad61, pad62, pad63, pad64, pad65, pad66, pad67;
        long pad68, pad69, pad70, pad71, pad72, pad73, pad74;

        TrailingPad(Object[] slots) {
            super(slots);
        }
    }
}
