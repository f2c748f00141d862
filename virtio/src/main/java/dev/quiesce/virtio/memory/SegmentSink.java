package dev.quiesce.virtio.memory;

import java.nio.ByteBuffer;

/**
 * Receives the host segments of a guest range, one call each, in address order.
 *
 * <p>On the data path the sink is an object that is kept and re-used, not a lambda made per call.
 */
@FunctionalInterface
public interface SegmentSink {

    /**
     * Takes one segment.
     *
     * @param base the buffer of the region, shared by all threads: use absolute indices only (or a
     *     duplicate), never its position, limit or byte order
     * @param offset index of the first byte
     * @param length number of bytes, above zero
     * @return true to go on, false to stop: the enumeration then answers false
     */
    boolean accept(ByteBuffer base, int offset, int length);
}
