package dev.quiesce.testkit.guest;

/**
 * A ring that a test writes field by field, with whatever values it likes. For rings no driver
 * may build.
 *
 * <p>Nothing is checked but that the fields themselves lie in the ring. One thread at a time,
 * like a driver.
 */
public final class HostileRing {

    /** Descriptor flag: another descriptor follows. */
    public static final int NEXT = RingMemory.NEXT;

    /** Descriptor flag: the device writes this buffer. */
    public static final int WRITE = RingMemory.WRITE;

    /** Descriptor flag: the buffer is a table of descriptors. */
    public static final int INDIRECT = RingMemory.INDIRECT;

    private final RingMemory ring;

    /**
     * Allocates a ring of its own.
     *
     * @param ram where
     * @param size number of entries; a power of two, or the fields alias
     */
    public HostileRing(GuestRam ram, int size) {
        this(new RingMemory(ram, size));
    }

    private HostileRing(RingMemory ring) {
        this.ring = ring;
    }

    /**
     * Writes over a real driver's ring, behind its back.
     *
     * @param queue the driver's queue
     * @return a ring on the same guest memory
     */
    public static HostileRing over(DriverQueue queue) {
        return new HostileRing(queue.ring());
    }

    /**
     * For the device's register.
     *
     * @return number of entries
     */
    public int size() {
        return ring.size();
    }

    /**
     * For the device's register.
     *
     * @return guest address of the descriptor table
     */
    public long descriptorAddress() {
        return ring.descriptorAddress();
    }

    /**
     * For the device's register.
     *
     * @return guest address of the available ring
     */
    public long availAddress() {
        return ring.availAddress();
    }

    /**
     * For the device's register.
     *
     * @return guest address of the used ring
     */
    public long usedAddress() {
        return ring.usedAddress();
    }

    /**
     * What a descriptor says, for {@link #descriptor} and {@link #tableEntry}.
     *
     * @param address guest address of the buffer
     * @param length its length; 32 bits
     * @param flags any of {@link #NEXT}, {@link #WRITE}, {@link #INDIRECT}, or others
     * @param next index of the next descriptor; 16 bits
     */
    public record Descriptor(long address, long length, int flags, int next) {

        /**
         * A descriptor that ends its chain.
         *
         * @param address guest address of the buffer
         * @param length its length
         * @param flags its flags
         * @return the descriptor, next 0
         */
        public static Descriptor last(long address, long length, int flags) {
            return new Descriptor(address, length, flags, 0);
        }
    }

    /**
     * Writes an entry of the descriptor table.
     *
     * @param index which
     * @param descriptor what it says
     * @return this
     */
    public HostileRing descriptor(int index, Descriptor descriptor) {
        return tableEntry(ring.descriptorAddress(), index, descriptor);
    }

    /**
     * Writes an entry of an indirect table anywhere in guest RAM.
     *
     * @param table guest address of the table
     * @param index which entry
     * @param descriptor what it says
     * @return this
     */
    public HostileRing tableEntry(long table, int index, Descriptor descriptor) {
        ring.storeDescriptor(table, index, descriptor.address(), RingMemory.lengthAndFlags(
                (int) descriptor.length(), descriptor.flags(), descriptor.next()));
        return this;
    }

    /**
     * Writes a slot of the available ring.
     *
     * @param index free-running index; the slot is its remainder
     * @param head what stands there; 16 bits
     * @return this
     */
    public HostileRing avail(int index, int head) {
        ring.storeAvailEntry(index, head);
        return this;
    }

    /**
     * Publishes an available index, with release order.
     *
     * @param index what stands there; 16 bits
     * @return this
     */
    public HostileRing availIndex(int index) {
        ring.publishAvailIndexRelease(index);
        return this;
    }

    /**
     * Appends one head and publishes it, like a driver that does not look what it appends.
     *
     * @param head what is appended
     * @return this
     */
    public HostileRing offer(int head) {
        int index = ring.availIndex();
        return avail(index, head).availIndex(index + 1);
    }

    /**
     * Writes the flags of the available ring.
     *
     * @param flags 1 suppresses interrupts
     * @return this
     */
    public HostileRing availFlags(int flags) {
        ring.storeAvailFlags(flags);
        return this;
    }

    /**
     * Writes the used event.
     *
     * @param index what stands there
     * @return this
     */
    public HostileRing usedEvent(int index) {
        ring.storeUsedEvent(index);
        return this;
    }

    /**
     * Writes the device's own index: a guest can.
     *
     * @param index what stands there
     * @return this
     */
    public HostileRing forgeUsedIndex(int index) {
        ring.storeUsedIndexRelease(index);
        return this;
    }

    /**
     * The used index as the driver sees it.
     *
     * @return 0 to 65535
     */
    public int usedIndex() {
        return ring.usedIndexAcquire();
    }

    /**
     * The id of a used element.
     *
     * @param index free-running index; the slot is its remainder
     * @return the head the device gave back
     */
    public int usedId(int index) {
        return ring.usedId(index);
    }

    /**
     * The length of a used element.
     *
     * @param index free-running index; the slot is its remainder
     * @return the bytes the device says it wrote
     */
    public int usedLength(int index) {
        return ring.usedLength(index);
    }

    /**
     * The flags of the used ring.
     *
     * @return 1 if the device asks for no kicks
     */
    public int usedFlags() {
        return ring.usedFlags();
    }

    /**
     * The available event.
     *
     * @return the index at which the device asks for a kick
     */
    public int availEvent() {
        return ring.availEvent();
    }
}
