package dev.quiesce.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A driver that makes random chains and knows, for each, what the device must see and what it
 * wrote. Follows the standard's rules for drivers to the letter.
 */
final class ModelDriver {

    /** What the device has to know about a chain in order to be checked. */
    static final class Expected {
        final byte[] readable;
        final int writableBytes;
        private final List<Integer> descriptors = new ArrayList<>();
        private final List<long[]> writable = new ArrayList<>();
        private byte[] answer = {};

        private Expected(byte[] readable, int writableBytes) {
            this.readable = readable;
            this.writableBytes = writableBytes;
        }

        /** What the device will write, contiguous from the start of the writable part. */
        void answerWith(byte[] bytes) {
            answer = bytes;
        }
    }

    final Map<Integer, Expected> outstanding = new HashMap<>();

    private final RawRing ring;
    private final Random random;
    private final boolean indirect;
    private final boolean eventIdx;
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private int next;
    private int published;
    private int lastUsed;
    private boolean waitsForInterrupt;
    private long nextBuffer = RawRing.BUFFERS;
    private long nextTable;

    ModelDriver(RawRing ring, Random random, long features) {
        this.ring = ring;
        this.random = random;
        this.indirect = (features & QueueConfig.INDIRECT_DESC) != 0;
        this.eventIdx = (features & QueueConfig.EVENT_IDX) != 0;
        this.next = ring.availIndex();
        this.published = next;
        this.lastUsed = next;
        this.nextTable = ring.table;
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < ring.size; i++) {
            all.add(i);
        }
        Collections.shuffle(all, random);
        free.addAll(all);
    }

    /** Adds one random chain if there is room. */
    boolean add() {
        int most = Math.min(indirect ? 6 : Math.min(6, free.size()), ring.size);
        if (free.isEmpty() || most == 0) {
            return false;
        }
        int count = 1 + random.nextInt(most);
        int readableCount = random.nextInt(count + 1);
        int inTable = indirect ? random.nextInt(count + 1) : 0;
        int direct = count - inTable + (inTable > 0 ? 1 : 0);
        if (direct > free.size() || direct > ring.size) {
            return false;
        }
        makeChain(count, readableCount, inTable);
        return true;
    }

    /** Publishes; answers whether the device wants a kick. */
    boolean publish() {
        int old = published;
        if (old == next) {
            return false;
        }
        ring.availIndex(next);
        published = next;
        if (eventIdx) {
            int event = ring.availEvent();
            return ((next - event - 1) & 0xffff) < ((next - old) & 0xffff);
        }
        return (ring.usedFlags() & 1) == 0;
    }

    /** Takes everything from the used ring, checking each answer. */
    int poll() {
        int taken = 0;
        for (; lastUsed != ring.usedIndex(); lastUsed = (lastUsed + 1) & 0xffff) {
            int head = ring.usedId(lastUsed);
            Expected chain = outstanding.remove(head);
            assertThat(chain).as("used id %s was outstanding", head).isNotNull();
            assertThat(ring.usedLength(lastUsed)).isEqualTo(chain.answer.length);
            assertThat(contents(chain)).isEqualTo(
                    Arrays.copyOf(chain.answer, chain.writableBytes));
            free.addAll(chain.descriptors);
            taken++;
        }
        return taken;
    }

    /** Asks for an interrupt at the next used element; true if one is there already. */
    boolean enableInterrupts() {
        if (eventIdx) {
            ring.usedEvent(lastUsed);
        } else {
            ring.availFlags(0);
        }
        waitsForInterrupt = ring.usedIndex() == lastUsed;
        return !waitsForInterrupt;
    }

    void disableInterrupts() {
        waitsForInterrupt = false;
        if (eventIdx) {
            ring.usedEvent((lastUsed - 1) & 0xffff);
        } else {
            ring.availFlags(1);
        }
    }

    /** Checks that the driver is told when it has to be. */
    void onDevicePublished(int elements, boolean interrupted) {
        if (waitsForInterrupt && elements > 0) {
            assertThat(interrupted).as("a driver that waits is told").isTrue();
            waitsForInterrupt = false;
        }
    }

    private void makeChain(int count, int readableCount, int inTable) {
        int head = -1;
        int before = -1;
        List<Integer> used = new ArrayList<>();
        byte[] readable = {};
        List<long[]> writable = new ArrayList<>();
        int writableBytes = 0;
        long table = inTable > 0 ? table(inTable) : 0;
        int direct = count - inTable;
        for (int i = 0; i < count; i++) {
            boolean write = i >= readableCount;
            int length = 1 + random.nextInt(40);
            long buffer = buffer(length);
            if (write) {
                ring.fill(buffer, length, 0);
                writable.add(new long[] {buffer, length});
                writableBytes += length;
            } else {
                byte[] bytes = new byte[length];
                random.nextBytes(bytes);
                ring.write(buffer, bytes);
                int old = readable.length;
                readable = Arrays.copyOf(readable, old + length);
                System.arraycopy(bytes, 0, readable, old, length);
            }
            int flags = (write ? RawRing.WRITE : 0) | junkFlags();
            if (i < direct) {
                int at = free.removeFirst();
                used.add(at);
                link(before, at);
                head = head < 0 ? at : head;
                before = at;
                ring.descriptor(at, buffer, length, flags, random.nextInt(0x10000));
            } else {
                int at = i - direct;
                boolean last = at == inTable - 1;
                ring.entry(table, at, buffer, length, flags | (last ? 0 : RawRing.NEXT), at + 1);
            }
        }
        if (inTable > 0) {
            int at = free.removeFirst();
            used.add(at);
            link(before, at);
            head = head < 0 ? at : head;
            int flags = RawRing.INDIRECT | (random.nextBoolean() ? RawRing.WRITE : 0);
            ring.descriptor(at, table, 16L * inTable, flags, random.nextInt(0x10000));
        }
        Expected chain = new Expected(readable, writableBytes);
        chain.descriptors.addAll(used);
        chain.writable.addAll(writable);
        outstanding.put(head, chain);
        ring.availSlot(next, head);
        next = (next + 1) & 0xffff;
    }

    /** Flags that no standard has given a meaning yet. */
    private int junkFlags() {
        return random.nextInt(8) == 0 ? random.nextInt(0x2000) << 3 : 0;
    }

    private void link(int before, int at) {
        if (before >= 0) {
            long where = ring.descriptors + 16L * before;
            ring.map.store16(where + 12, ring.map.load16(where + 12) | RawRing.NEXT);
            ring.map.store16(where + 14, at);
        }
    }

    private byte[] contents(Expected chain) {
        byte[] all = new byte[chain.writableBytes];
        int at = 0;
        for (long[] part : chain.writable) {
            byte[] bytes = ring.read(part[0], (int) part[1]);
            System.arraycopy(bytes, 0, all, at, bytes.length);
            at += bytes.length;
        }
        return all;
    }

    /** Buffers go round; few enough are outstanding that none is used twice at a time. */
    private long buffer(int length) {
        if (nextBuffer + length > RawRing.RAM + RawRing.RAM_BYTES) {
            nextBuffer = RawRing.BUFFERS;
        }
        long buffer = nextBuffer;
        nextBuffer += length;
        return buffer;
    }

    private long table(int entries) {
        if (nextTable + 16L * entries > RawRing.BUFFERS) {
            nextTable = ring.table;
        }
        long table = nextTable;
        nextTable += 16L * entries;
        return table;
    }
}
