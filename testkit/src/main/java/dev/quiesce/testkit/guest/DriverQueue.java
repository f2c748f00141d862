package dev.quiesce.testkit.guest;

import org.jspecify.annotations.Nullable;

/**
 * The driver's side of a split ring, as a real driver runs it: a free list of descriptors, chains
 * or indirect tables, release of the available index, kicks and interrupts suppressed by flag or
 * event index.
 *
 * <pre>{@code
 * DriverQueue queue = new DriverQueue(ram, new DriverQueueConfig(256, true, true));
 * queue.add(buffers.clear().readable(header, 51).writable(response, 108), tag);
 * if (queue.publish()) {
 *     kick();
 * }
 * queue.poll(handler);
 * }</pre>
 *
 * <p>Confined to one vCPU thread at a time. The device is not trusted: an id that is not
 * outstanding, an index that jumps, a length that does not fit are reported to the handler and
 * change nothing else.
 */
public final class DriverQueue {

    private static final int NO_INTERRUPT = 1;
    private static final int NO_NOTIFY = 1;
    private static final int MASK = 0xffff;
    private static final int NONE = -1;

    /*
     * The driver keeps everything it must know about a chain in private arrays, by head: a device
     * can write to guest RAM, so what stands in the descriptor table is never read back.
     */
    private final GuestRam ram;
    private final RingMemory ring;
    private final DriverQueueConfig config;
    private final int[] nextFree;
    private final int[] descriptorsUsed;
    private final boolean[] outstandingHeads;
    private final long[] tokens;
    private final long[] writableBytes;
    private final long[] tables;
    private final int[] tableEntries;

    private int firstFree;
    private int freeDescriptors;
    private int outstanding;
    private int availIndex;
    private int publishedIndex;
    private int lastUsed;
    private boolean broken;

    /**
     * Allocates a ring in guest memory.
     *
     * @param ram where
     * @param config how to run it
     */
    public DriverQueue(GuestRam ram, DriverQueueConfig config) {
        int size = config.size();
        this.ram = ram;
        this.ring = new RingMemory(ram, size);
        this.config = config;
        this.nextFree = new int[size];
        this.descriptorsUsed = new int[size];
        this.outstandingHeads = new boolean[size];
        this.tokens = new long[size];
        this.writableBytes = new long[size];
        this.tables = new long[size];
        this.tableEntries = new int[size];
        for (int i = 0; i < size; i++) {
            nextFree[i] = i + 1 < size ? i + 1 : NONE;
        }
        this.freeDescriptors = size;
    }

    /**
     * How the queue runs.
     *
     * @return as given to the constructor
     */
    public DriverQueueConfig config() {
        return config;
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
     * Adds a chain; the device sees it after {@link #publish}.
     *
     * @param buffers its buffers, at least one
     * @param token comes back with the used element
     * @return false if the ring has not enough free descriptors
     * @throws IllegalArgumentException if the list is empty, or longer than the ring: no driver may
     *     make a chain of more descriptors than the ring has, tables included
     */
    public boolean add(BufferList buffers, long token) {
        int count = buffers.count();
        if (count == 0 || count > config.size()) {
            throw new IllegalArgumentException(
                    "a chain of " + count + " buffers on a ring of " + config.size());
        }
        boolean inTable = config.indirect() && count > 1;
        int needed = inTable ? 1 : count;
        if (freeDescriptors < needed) {
            return false;
        }
        int head = firstFree;
        if (inTable) {
            addTable(buffers, head);
        } else {
            addDescriptors(buffers);
        }
        freeDescriptors -= needed;
        descriptorsUsed[head] = needed;
        outstandingHeads[head] = true;
        tokens[head] = token;
        writableBytes[head] = buffers.writableBytes();
        outstanding++;
        ring.storeAvailEntry(availIndex, head);
        availIndex = (availIndex + 1) & MASK;
        return true;
    }

    /**
     * Makes all added chains available, then looks whether the device wants a kick.
     *
     * @return true if the driver must kick; false also when nothing was added
     */
    public boolean publish() {
        int old = publishedIndex;
        if (old == availIndex) {
            return false;
        }
        ring.publishAvailIndexRelease(availIndex);
        publishedIndex = availIndex;
        ring.fullFence(); // the index is visible before the device's wish is read
        if (config.eventIdx()) {
            int beyondEvent = (availIndex - ring.availEvent() - 1) & MASK;
            return beyondEvent < ((availIndex - old) & MASK);
        }
        return (ring.usedFlags() & NO_NOTIFY) == 0;
    }

    /**
     * Takes what the device has given back, at most one ring's worth.
     *
     * @param handler told of each chain and of each violation
     * @return how many chains came back
     */
    public int poll(UsedHandler handler) {
        int index = broken ? lastUsed : ring.usedIndexAcquire();
        int pending = (index - lastUsed) & MASK;
        if (pending > outstanding) {
            broken = true;
            handler.onViolation(violation(RingViolation.Kind.INDEX_JUMP, index));
            return 0;
        }
        int taken = 0;
        while (lastUsed != index) {
            int id = ring.usedId(lastUsed);
            int length = ring.usedLength(lastUsed);
            if (takeUsed(id, length, handler)) {
                taken++;
            }
        }
        return taken;
    }

    /**
     * Asks for an interrupt at the next used element, then looks again.
     *
     * @return true if used elements are pending: no interrupt may come for them
     */
    public boolean enableInterrupts() {
        if (config.eventIdx()) {
            ring.storeUsedEvent(lastUsed);
        } else {
            ring.storeAvailFlags(0);
        }
        ring.fullFence(); // the wish is visible before the index is read again
        return hasUsed();
    }

    /** Tells the device that interrupts are not needed; they may come all the same. */
    public void disableInterrupts() {
        if (config.eventIdx()) {
            ring.storeUsedEvent((lastUsed - 1) & MASK); // as far ahead as an index can be
        } else {
            ring.storeAvailFlags(NO_INTERRUPT);
        }
    }

    /**
     * Whether {@link #poll} would find something.
     *
     * @return whether the used index has moved
     */
    public boolean hasUsed() {
        return !broken && ring.usedIndexAcquire() != lastUsed;
    }

    /**
     * Chains added that have not come back.
     *
     * @return 0 to the ring's size
     */
    public int outstanding() {
        return outstanding;
    }

    /**
     * Descriptors that a next chain can use.
     *
     * @return 0 to the ring's size
     */
    public int freeDescriptors() {
        return freeDescriptors;
    }

    /**
     * Whether the device's used index jumped; the driver then takes nothing any more, until a new
     * ring.
     *
     * @return whether the ring is beyond use
     */
    public boolean isBroken() {
        return broken;
    }

    /**
     * Gives the ring's guest memory back. The device must have forgotten the ring (reset).
     */
    public void free() {
        for (long table : tables) {
            if (table != 0) {
                ram.free(table);
            }
        }
        ring.free(ram);
    }

    RingMemory ring() {
        return ring;
    }

    private boolean takeUsed(int id, int length, UsedHandler handler) {
        RingViolation.Kind defect = judge(id, length);
        if (defect != null) {
            long value = (defect == RingViolation.Kind.TOO_LONG ? length : id) & 0xffff_ffffL;
            handler.onViolation(violation(defect, value));
        }
        lastUsed = (lastUsed + 1) & MASK;
        if (defect != null && defect != RingViolation.Kind.TOO_LONG) {
            return false;
        }
        long token = tokens[id];
        release(id);
        handler.onUsed(token, length);
        return true;
    }

    private RingViolation.@Nullable Kind judge(int id, int length) {
        if (id < 0 || id >= config.size()) {
            return RingViolation.Kind.ID_OUT_OF_RANGE;
        }
        if (!outstandingHeads[id]) {
            return RingViolation.Kind.NOT_OUTSTANDING;
        }
        boolean fits = (length & 0xffff_ffffL) <= writableBytes[id];
        return fits ? null : RingViolation.Kind.TOO_LONG;
    }

    private RingViolation violation(RingViolation.Kind kind, long value) {
        return new RingViolation(kind, lastUsed, value);
    }

    private void addDescriptors(BufferList buffers) {
        int last = buffers.count() - 1;
        int at = firstFree;
        for (int i = 0; i <= last; i++) {
            int next = nextFree[at];
            ring.storeDescriptor(ring.descriptorAddress(), at, buffers.address(i),
                    RingMemory.lengthAndFlags(buffers.length(i), flags(buffers, i),
                            i < last ? next : 0));
            at = next;
        }
        firstFree = at;
    }

    private void addTable(BufferList buffers, int head) {
        int last = buffers.count() - 1;
        long table = table(head, buffers.count());
        for (int i = 0; i <= last; i++) {
            ring.storeDescriptor(table, i, buffers.address(i),
                    RingMemory.lengthAndFlags(buffers.length(i), flags(buffers, i),
                            i < last ? i + 1 : 0));
        }
        ring.storeDescriptor(ring.descriptorAddress(), head, table,
                RingMemory.lengthAndFlags(
                        RingMemory.DESCRIPTOR_BYTES * buffers.count(), RingMemory.INDIRECT, 0));
        firstFree = nextFree[head];
    }

    private static int flags(BufferList buffers, int index) {
        int next = index < buffers.count() - 1 ? RingMemory.NEXT : 0;
        return buffers.isWritable(index) ? next | RingMemory.WRITE : next;
    }

    /** The head's table, kept from chain to chain and replaced by a larger one when needed. */
    private long table(int head, int entries) {
        if (tableEntries[head] < entries) {
            if (tableEntries[head] > 0) {
                ram.free(tables[head]);
            }
            tables[head] = ram.allocate(RingMemory.DESCRIPTOR_BYTES * entries, 16);
            tableEntries[head] = entries;
        }
        return tables[head];
    }

    /** Puts the chain's descriptors back: they are still linked in nextFree, head first. */
    private void release(int head) {
        int tail = head;
        for (int i = 1; i < descriptorsUsed[head]; i++) {
            tail = nextFree[tail];
        }
        nextFree[tail] = firstFree;
        firstFree = head;
        freeDescriptors += descriptorsUsed[head];
        outstandingHeads[head] = false;
        outstanding--;
    }
}
