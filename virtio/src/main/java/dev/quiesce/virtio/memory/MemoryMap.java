package dev.quiesce.virtio.memory;

import java.nio.ByteBuffer;

/**
 * An immutable snapshot of a guest's RAM, accessed by guest address.
 *
 * <p>Addresses are unsigned 64-bit numbers, also where they look negative. Only RAM is in a map:
 * device registers are holes (MAL-12). What a map covers it covers for ever, so a range that was
 * checked once needs no second check.
 *
 * <p>All multi-byte values are little-endian. Accesses are plain unless their name says
 * otherwise, may be misaligned, and may cross from one region into the one that follows without a
 * gap; only ring indices need more ({@link #holdsRing}). Any thread may call anything.
 *
 * <p>An implementation that fails under an access it had promised throws {@link
 * GuestMemoryFault}; see the package page for who catches it.
 */
public interface MemoryMap {

    /**
     * Whether a range is RAM, completely.
     *
     * @param address first byte
     * @param lengthBytes length; nothing is covered by zero or fewer bytes
     * @param forWrite whether the device means to write: read-only RAM then does not count
     * @return true if each byte can be accessed
     */
    boolean covers(long address, long lengthBytes, boolean forWrite);

    /**
     * Whether a ring can live in a range: it is covered, lies in one region, however that is cut
     * into buffers, and ordered accesses at its even offsets are single-copy atomic on this host
     * (VQ-3, VQ-39). Host memory that starts at an odd address holds no rings.
     *
     * @param address first byte
     * @param lengthBytes length
     * @param forWrite whether the device writes to this ring area
     * @return true if {@link #loadAcquire16} and {@link #storeRelease16} work there
     */
    boolean holdsRing(long address, long lengthBytes, boolean forWrite);

    /**
     * Plain load of 16 bits.
     *
     * @param address where; covered, else {@link GuestMemoryFault}
     * @return the value, 0 to 65535
     */
    int load16(long address);

    /**
     * Plain load of 32 bits.
     *
     * @param address where; covered, else {@link GuestMemoryFault}
     * @return the value
     */
    int load32(long address);

    /**
     * Plain load of 64 bits.
     *
     * @param address where; covered, else {@link GuestMemoryFault}
     * @return the value
     */
    long load64(long address);

    /**
     * Plain store of 16 bits.
     *
     * @param address where; covered for writing, else {@link GuestMemoryFault}
     * @param value the value; its upper half is ignored
     */
    void store16(long address, int value);

    /**
     * Plain store of 32 bits.
     *
     * @param address where; covered for writing, else {@link GuestMemoryFault}
     * @param value the value
     */
    void store32(long address, int value);

    /**
     * Plain store of 64 bits.
     *
     * @param address where; covered for writing, else {@link GuestMemoryFault}
     * @param value the value
     */
    void store64(long address, long value);

    /**
     * Loads 16 bits at once; later accesses of this thread cannot move before it. The guest's
     * release store of an index and this load make what the guest wrote before it visible.
     *
     * @param address an even offset of a range that {@link #holdsRing}
     * @return the value, 0 to 65535
     */
    int loadAcquire16(long address);

    /**
     * Stores 16 bits at once; earlier accesses of this thread cannot move behind it.
     *
     * @param address an even offset of a range that {@link #holdsRing} for writing
     * @param value the value; its upper half is ignored
     */
    void storeRelease16(long address, int value);

    /**
     * No access of this thread moves across, in either direction: in particular a later load does
     * not overtake an earlier store. Both sides of a ring need it between "I published" and "does
     * the other side want to be told" (VQ-23, VQ-26).
     */
    void fullFence();

    /**
     * Copies guest bytes into an array.
     *
     * @param address first guest byte
     * @param target receives the bytes
     * @param offset index of the first in {@code target}
     * @param length how many; zero is allowed and copies nothing
     * @return false if the range is not covered: nothing was copied
     */
    boolean copyFromGuest(long address, byte[] target, int offset, int length);

    /**
     * Copies an array into guest memory.
     *
     * @param address first guest byte
     * @param source has the bytes
     * @param offset index of the first in {@code source}
     * @param length how many; zero is allowed and copies nothing
     * @return false if the range is not covered for writing: nothing was copied
     */
    boolean copyToGuest(long address, byte[] source, int offset, int length);

    /**
     * Enumerates the host segments of a guest range, without allocating.
     *
     * <p>A memory that cannot hand out buffers answers false for every range; a device then refuses
     * every buffer in it.
     *
     * @param address first guest byte
     * @param lengthBytes length, above zero
     * @param forWrite whether the device means to write
     * @param sink called once per segment, in order; see {@link SegmentSink#accept} for what it
     *     may do with the {@link ByteBuffer}
     * @return false if the range is not covered (the sink was not called), or the sink said stop
     */
    boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink);

    /**
     * Whether a guest's stores become visible to other threads in the order the guest made them,
     * as real memory shared with a guest gives. An emulator that writes guest RAM with plain Java
     * stores and whose fences do nothing answers false. The device then offers no EVENT_IDX,
     * suppresses no notification, and reads a ring only as far as the thread that kicked had
     * written it: that thread reads the available index, and the kick hands it over with
     * everything before it.
     *
     * @return whether ring indices may be read without a kick
     */
    boolean guestStoresOrdered();

    /**
     * Makes a failure of this thread's earlier accesses show now, as an {@link InternalError}, if
     * the JVM would otherwise throw it later, in code that has nothing to do with the guest. For
     * whoever touched guest memory through buffers that {@link #resolve} handed out: call it
     * before leaving the code that belongs to the guest's device. The accessors of this interface
     * need no such call.
     *
     * <p>Does nothing for memory that cannot go away.
     */
    default void surfaceFaults() {
    }
}
