package dev.quiesce.virtio.queue;

/**
 * What a driver did wrong with a ring, or why else a queue writes nothing any more.
 *
 * <p>A queue keeps its first fault. Only a new queue, after the driver's reset, works again.
 */
public enum QueueFault {
    /** The size is zero, above 32768, or no power of two. */
    RING_SIZE("VQ-38"),
    /** A ring area is not aligned to 16, 2 or 4 bytes. */
    RING_MISALIGNED("MAL-1"),
    /**
     * A ring area is not RAM, wraps around, straddles regions, or may not be accessed as it must
     * be.
     */
    RING_UNMAPPED("MAL-1"),
    /** The available index moved by more than the queue's size, or backwards. */
    INDEX_JUMP("MAL-2"),
    /** A head index is not below the queue's size. */
    HEAD_OUT_OF_RANGE("MAL-3"),
    /** A head was published again before it was given back. */
    HEAD_IN_USE("MAL-4"),
    /** More chains are outstanding than the queue has entries. */
    QUEUE_OVERFULL("MAL-4"),
    /** A descriptor's next index is not below the table's size. */
    NEXT_OUT_OF_RANGE("MAL-5"),
    /** A descriptor has length zero. */
    EMPTY_DESCRIPTOR("MAL-6"),
    /** A chain has a loop, or more descriptors than its table. */
    CHAIN_LOOP("MAL-7"),
    /** A descriptor refers to an indirect table although the feature was not negotiated. */
    INDIRECT_NOT_NEGOTIATED("MAL-8"),
    /** An indirect table is empty, no multiple of 16 bytes, or has more entries than the queue. */
    INDIRECT_LENGTH("MAL-8"),
    /** An indirect table is not RAM, completely. */
    INDIRECT_UNMAPPED("MAL-8"),
    /** An indirect table refers to an indirect table. */
    INDIRECT_NESTED("MAL-8"),
    /** A descriptor refers to an indirect table and to a next descriptor. */
    INDIRECT_WITH_NEXT("MAL-8"),
    /** A device-readable descriptor follows a device-writable one. */
    READABLE_AFTER_WRITABLE("MAL-9"),
    /** A chain has more host segments than {@link Chain#SEGMENTS_MAX}. */
    TOO_MANY_SEGMENTS("MAL-10"),
    /** A buffer is not RAM, completely, or is to be written and is read-only. */
    BUFFER_UNMAPPED("MAL-11"),
    /** A chain's buffers are longer than 2^32 bytes together. */
    CHAIN_TOO_LONG("MAL-13"),
    /**
     * A chain is too short for the device's headers: found by the device, which breaks the queue.
     */
    HEADER_TOO_SHORT("MAL-14"),
    /** Guest memory threw under an access that was in order, or its ring areas went away. */
    MEMORY_FAULT("MAL-17"),
    /** Another queue, or the device itself, broke: said by the device. */
    DEVICE_BROKEN("MAL-30"),
    /**
     * No defect: the driver reset or disabled the queue, and whatever completes late writes
     * nothing.
     */
    RETIRED("VQ-37");

    private final String rule;

    QueueFault(String rule) {
        this.rule = rule;
    }

    /**
     * The rule of the specification that names this defect.
     *
     * @return for example {@code MAL-2}
     */
    public String rule() {
        return rule;
    }
}
