package dev.quiesce.vhostuser.inflight;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.queue.HeadJournal;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * What one split queue has in flight, in shared memory. Little-endian:
 *
 * <pre>
 *  0  features         u64  0
 *  8  version          u16  0: never used; 1: this layout
 * 10  entries          u16  the number of heads below
 * 12  last batch head  u16  the head that was finished last
 * 14  used index       u16  the ring's, once everything before it is cleared below
 * 16  per head, 16 bytes each:
 *      0  in flight    u8   1: fetched and not given back
 *      1  padding      5 bytes
 *      6  next         u16  the head that was finished before this one
 *      8  counter      u64  grows with each fetch
 * </pre>
 *
 * A part is rounded up to 64 bytes (VHU-26).
 *
 * <p>A journal of the queue while it runs: confined to the queue's owner. Everything else: session
 * thread, while the queue does not run.
 */
public final class InflightQueue implements HeadJournal {
    /*
     * There is one writer at a time, and nobody reads while it lives: a reader comes after the
     * writer was killed, and sees a prefix of its stores, in the order in which the processor did
     * them. So the order of the stores is the whole protocol (VHU-27):
     *
     *   fetched     counter := n            in flight := 1
     *   pushed      next := last batch head last batch head := head
     *   (the queue) used.idx := used.idx + batch
     *   published   in flight := 0, of each head of the batch
     *               used index := used.idx
     *   (the queue) full fence
     *
     * Each store is a release store and so stays behind those before it, but for the counter, which
     * may rise as far as the fence before it: the head is not in flight there, and a counter
     * means nothing without that. The ring's own store in the middle is a release store too.
     *
     * What a prefix looks like (VHU-28):
     *
     *   before used.idx     used index = used.idx: whatever is in flight is unfinished, also what
     *                       was linked already
     *   from there to the   used index != used.idx: the difference is the batch, the list from
     *   last one            `last batch head` names it, some of it perhaps cleared
     *   after it            as before the batch
     *
     * Linking of the next batch cannot be seen before the used index of this one: the fence is
     * between. Putting in order makes the same stores as `published`, and may be interrupted too.
     *
     * Nothing of the list is read back while the queue runs: the batch is remembered here, because
     * what is in the buffer may have been changed by the front end.
     */
    private static final int VERSION = 8;
    private static final int ENTRIES = 10;
    private static final int LAST_BATCH_HEAD = 12;
    private static final int USED_INDEX = 14;
    private static final int HEADER_BYTES = 16;

    private static final int ENTRY_BYTES = 16;
    private static final int NEXT = 6;
    private static final int COUNTER = 8;

    private static final int THIS_LAYOUT = 1;
    private static final int ALIGNMENT = 64;
    private static final int IN_FLIGHT_MASK = 0xFF;
    private static final int INDEX_MASK = 0xFFFF;

    private final MemoryMap map;
    private final long begin;
    private final int entries;
    private final char[] batch;
    private int batched;
    private int lastBatchHead;
    private long counter;
    private boolean usedBefore;
    private int[] unfinished = {};

    /** The caller has checked that the part lies within the map. */
    InflightQueue(MemoryMap map, long begin, int entries) {
        this.map = map;
        this.begin = begin;
        this.entries = entries;
        this.batch = new char[entries];
    }

    /** How long a part is. */
    static long bytes(int entries) {
        long exact = HEADER_BYTES + (long) ENTRY_BYTES * entries;
        return (exact + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /**
     * Whether the buffer has been used for this queue before, so that it knows better than the
     * front end where the ring stood. Session thread, after resuming.
     *
     * @return false for a buffer that is new
     */
    public boolean wasUsedBefore() {
        return usedBefore;
    }

    /**
     * What was fetched and not given back when the queue was resumed. Session thread.
     *
     * @return heads, in the order in which they were fetched
     */
    public int[] unfinished() {
        return unfinished.clone();
    }

    @Override
    public void fetched(int head) {
        map.store64(entry(head) + COUNTER, counter++);
        storeInFlight(head, 1);
    }

    @Override
    public void unfetched(int head) {
        storeInFlight(head, 0);
    }

    @Override
    public void pushed(int head) {
        map.storeRelease16(entry(head) + NEXT, lastBatchHead);
        map.storeRelease16(begin + LAST_BATCH_HEAD, head);
        lastBatchHead = head;
        batch[batched++] = (char) head;
    }

    @Override
    public void published(int usedIndex) {
        for (int i = 0; i < batched; i++) {
            storeInFlight(batch[i], 0);
        }
        batched = 0;
        map.storeRelease16(begin + USED_INDEX, usedIndex);
    }

    /** Reads what is there, or makes it new; afterwards it is as if nothing had been killed. */
    void resume(int ringEntries, int ringUsed) throws InflightException {
        if (ringEntries > entries) {
            throw new InflightException("a ring of " + ringEntries + " for " + entries);
        }
        int version = load16(VERSION);
        if (version == 0) {
            begin(ringUsed);
            return;
        }
        if (version != THIS_LAYOUT || map.load64(begin) != 0 || load16(ENTRIES) != entries) {
            throw new InflightException(String.format(
                    "version %d, features %#x, %d entries instead of version %d, no features, %d",
                    version, map.load64(begin), load16(ENTRIES), THIS_LAYOUT, entries));
        }
        usedBefore = true;
        BitSet inFlight = inFlight();
        settleBatch(inFlight, ringUsed);
        if (inFlight.length() > ringEntries) {
            throw new InflightException("head " + (inFlight.length() - 1)
                    + " in flight in a ring of " + ringEntries);
        }
        readOrder(inFlight);
    }

    /** Makes the part as if it had never been used. */
    void forget() {
        map.storeRelease16(begin + VERSION, 0);
    }

    /** The version last: what is interrupted before it is as new as it was. */
    private void begin(int ringUsed) {
        map.store64(begin, 0);
        for (int head = 0; head < entries; head++) {
            storeInFlight(head, 0);
        }
        map.storeRelease16(begin + ENTRIES, entries);
        map.storeRelease16(begin + LAST_BATCH_HEAD, 0);
        map.storeRelease16(begin + USED_INDEX, ringUsed);
        map.storeRelease16(begin + VERSION, THIS_LAYOUT);
    }

    private BitSet inFlight() throws InflightException {
        BitSet heads = new BitSet(entries);
        for (int head = 0; head < entries; head++) {
            int mark = map.load16(entry(head)) & IN_FLIGHT_MASK;
            if (mark > 1) {
                throw new InflightException("head " + head + " is marked " + mark);
            }
            heads.set(head, mark == 1);
        }
        return heads;
    }

    /** Clears the batch that was published and perhaps not cleared. */
    private void settleBatch(BitSet inFlight, int ringUsed) throws InflightException {
        lastBatchHead = load16(LAST_BATCH_HEAD);
        int published = (ringUsed - load16(USED_INDEX)) & INDEX_MASK;
        // With nothing in flight the list does not matter: the ring may be another by now.
        if (published > 0 && !inFlight.isEmpty()) {
            List<Integer> finished = batch(published);
            for (int head : finished) {
                storeInFlight(head, 0);
                inFlight.clear(head);
            }
        }
        map.storeRelease16(begin + USED_INDEX, ringUsed);
    }

    private List<Integer> batch(int length) throws InflightException {
        List<Integer> heads = new ArrayList<>();
        BitSet seen = new BitSet(entries);
        int head = lastBatchHead;
        for (int i = 0; i < length; i++) {
            if (head >= entries || seen.get(head)) {
                throw new InflightException("the last batch of " + length + " comes to head "
                        + head + " after " + i);
            }
            seen.set(head);
            heads.add(head);
            head = map.load16(entry(head) + NEXT);
        }
        return heads;
    }

    private void readOrder(BitSet inFlight) {
        List<Fetched> order = new ArrayList<>();
        inFlight.stream().forEach(
                head -> order.add(new Fetched(head, map.load64(entry(head) + COUNTER))));
        order.sort(Comparator.naturalOrder());
        unfinished = order.stream().mapToInt(Fetched::head).toArray();
        counter = order.isEmpty() ? 0 : order.get(order.size() - 1).counter() + 1;
    }

    private int load16(int field) {
        return map.load16(begin + field);
    }

    /** Sixteen bits, of which the upper half is padding. */
    private void storeInFlight(int head, int mark) {
        map.storeRelease16(entry(head), mark);
    }

    private long entry(int head) {
        return begin + HEADER_BYTES + (long) ENTRY_BYTES * head;
    }

    /**
     * A head and when it was fetched, oldest first. No two counters are the same unless the front
     * end made them so.
     */
    private record Fetched(int head, long counter) implements Comparable<Fetched> {
        @Override
        public int compareTo(Fetched other) {
            int byCounter = Long.compareUnsigned(counter, other.counter);
            return byCounter != 0 ? byCounter : Integer.compare(head, other.head);
        }
    }
}
