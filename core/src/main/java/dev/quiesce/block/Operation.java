package dev.quiesce.block;

/**
 * What a block request asks for. Immutable; any thread.
 */
public enum Operation {
    /** Fills the payload with the bytes of the range. */
    READ(true, false),

    /** Stores the payload into the range. */
    WRITE(true, true),

    /** Makes the range read as zeroes; carries no payload. */
    WRITE_ZEROES(false, true),

    /** Says that the range's content is no longer needed; carries no payload. */
    DISCARD(false, true),

    /** Makes every write that completed before it durable, as far as the driver can. */
    FLUSH(false, false),

    /**
     * Makes the node end at the request's offset; the request has no length and no payload. What is
     * added reads as zeroes. Other requests that overlap in time with what is cut or added end as
     * if they had come before or after; the rest of the node is not concerned.
     */
    TRUNCATE(false, true),

    /** Asks which layer holds the range. */
    STATUS(false, false),

    /** Copies a range inside the layer, without a payload. */
    COPY(false, true);

    private final boolean payload;
    private final boolean modifying;

    Operation(boolean payload, boolean modifying) {
        this.payload = payload;
        this.modifying = modifying;
    }

    /**
     * Whether a request of this kind carries a payload.
     *
     * @return true for {@link #READ} and {@link #WRITE}
     */
    public boolean hasPayload() {
        return payload;
    }

    /**
     * Whether a request of this kind changes the node's content or length, so that a read-only
     * node refuses it.
     *
     * @return true if it modifies
     */
    public boolean isModifying() {
        return modifying;
    }

    /**
     * Whether offset and length of a request of this kind name a range of bytes that must lie
     * inside the node.
     *
     * @return false for {@link #FLUSH} and {@link #TRUNCATE}
     */
    public boolean hasRange() {
        return this != FLUSH && this != TRUNCATE;
    }
}
