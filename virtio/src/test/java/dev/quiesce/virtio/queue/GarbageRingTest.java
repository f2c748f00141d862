package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Rings full of random bytes: nothing is thrown, everything ends, only the used ring is written.
 */
class GarbageRingTest {

    /** With the same seeds in every run: what they meet does not depend on luck. */
    private static final int ROUNDS = 6000;

    /** With seeds of their own. */
    private static final int NEW_ROUNDS = 2000;
    private static final int OPERATIONS = 60;
    private static final int RAM_BYTES = 0x4000;
    private static final long ROM = RawRing.RAM + RAM_BYTES;
    private static final int ROM_BYTES = 0x400;

    private final long seed = new Random().nextLong();

    @Test
    @Rule("MAL-2")
    @Rule("MAL-3")
    @Rule("MAL-4")
    @Rule("MAL-5")
    @Rule("MAL-6")
    @Rule("MAL-7")
    @Rule("MAL-8")
    @Rule("MAL-9")
    @Rule("MAL-11")
    @Rule("VQ-6")
    @Rule("FUZ-T01")
    void shouldSurviveWhateverStandsInARing() {
        Set<QueueFault> met = EnumSet.noneOf(QueueFault.class);
        int[] popped = {0};
        attack(0, ROUNDS, met, popped);
        attack(seed, NEW_ROUNDS, EnumSet.noneOf(QueueFault.class), new int[1]);

        assertThat(met).contains(QueueFault.INDEX_JUMP,
                QueueFault.HEAD_OUT_OF_RANGE, QueueFault.HEAD_IN_USE, QueueFault.QUEUE_OVERFULL,
                QueueFault.NEXT_OUT_OF_RANGE, QueueFault.EMPTY_DESCRIPTOR, QueueFault.CHAIN_LOOP,
                QueueFault.INDIRECT_NOT_NEGOTIATED, QueueFault.INDIRECT_LENGTH,
                QueueFault.INDIRECT_UNMAPPED, QueueFault.INDIRECT_NESTED,
                QueueFault.INDIRECT_WITH_NEXT, QueueFault.READABLE_AFTER_WRITABLE,
                QueueFault.BUFFER_UNMAPPED);
        assertThat(popped[0]).as("chains accepted").isGreaterThan(ROUNDS);
    }

    private static void attack(long firstSeed, int rounds, Set<QueueFault> met, int[] popped) {
        for (int round = 0; round < rounds; round++) {
            try {
                new Attack(new Random(firstSeed + round)).run(met, popped);
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError("seed " + (firstSeed + round), failure);
            }
        }
    }

    @Test
    @Rule("MAL-1")
    void shouldSurviveWhateverStandsInTheRegisters() {
        Random random = new Random(seed);
        MemoryMap map = map();
        int working = 0;
        for (int round = 0; round < 100_000; round++) {
            QueueConfig config = new QueueConfig(
                    random.nextInt(4) == 0 ? random.nextInt() : 1 << random.nextInt(17),
                    address(random), address(random), address(random), random.nextLong());

            SplitVirtqueue queue = new SplitVirtqueue(config, () -> map);

            queue.pop(new Chain());
            queue.enableNotify();
            working += queue.fault() == null ? 1 : 0;
        }
        assertThat(working).as("seed %s", seed).isPositive();
    }

    private static MemoryMap map() {
        return RegionMap.builder()
                .add(RawRing.RAM, ByteBuffer.allocate(RAM_BYTES))
                .addReadOnly(ROM, ByteBuffer.allocateDirect(ROM_BYTES))
                .build();
    }

    private static long address(Random random) {
        return switch (random.nextInt(16)) {
            case 0 -> random.nextLong();
            case 1 -> -random.nextInt(64);
            case 2 -> RawRing.RAM + RAM_BYTES - random.nextInt(64);
            case 3 -> ROM + random.nextInt(ROM_BYTES + 64);
            default -> RawRing.RAM + (random.nextInt(RAM_BYTES) & -16L);
        };
    }

    private static final class Attack {
        private final Random random;
        private final RawRing ring;
        private final SplitVirtqueue queue;
        private final StoreChecker stores;
        private final Chain chain = new Chain();
        private final ArrayDeque<Integer> held = new ArrayDeque<>();

        Attack(Random random) {
            this.random = random;
            int size = 1 << random.nextInt(7);
            this.ring = new RawRing(size, map());
            long features = random.nextInt(8) == 0 ? 0 : QueueConfig.INDIRECT_DESC;
            boolean eventIdx = random.nextBoolean();
            features |= eventIdx ? QueueConfig.EVENT_IDX : 0;
            for (int i = 0; i < size; i++) {
                writeDescriptor(ring.descriptors, i);
            }
            for (int i = 0; i < 64; i++) {
                writeDescriptor(ring.table, i);
            }
            this.stores = new StoreChecker(ring, eventIdx);
            ring.memory = GuestMemory.fixed(stores);
            this.queue = ring.queueAt(random.nextInt(4) == 0 ? 65530 : 0, features);
        }

        void run(Set<QueueFault> met, int[] popped) {
            int afterBreaking = 0;
            for (int i = 0; i < OPERATIONS && afterBreaking < 8; i++) {
                stores.allowed = queue.fault() == null;
                operate(popped);
                attack();
                afterBreaking += queue.fault() == null ? 0 : 1;
            }
            if (queue.fault() != null) {
                met.add(queue.fault());
                assertThat(queue.faultCause()).isNull();
            }
        }

        private void operate(int[] popped) {
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> pop(popped);
                case 3 -> {
                    if (!held.isEmpty()) {
                        queue.push(held.removeFirst(), random.nextInt(100));
                    }
                }
                case 4 -> queue.publish();
                case 5 -> queue.enableNotify();
                case 6 -> queue.disableNotify();
                default -> unpop();
            }
            queue.isEmpty();
            assertThat(queue.inFlight()).isBetween(0, ring.size);
            assertThat(queue.inFlight()).isGreaterThanOrEqualTo(held.size());
        }

        private void pop(int[] popped) {
            int head = queue.pop(chain);
            if (head == NOTHING) {
                assertThat(chain.readableBytes() + chain.writableBytes()).isZero();
                return;
            }
            popped[0]++;
            held.addLast(head);
            int bytes = (int) Math.min(0x10000, chain.readableBytes());
            assertThat(chain.copyFromReadable(0, new byte[bytes], 0, bytes)).isTrue();
        }

        private void unpop() {
            if (queue.fault() == null && !queue.isEmpty()) {
                int head = queue.pop(chain);
                if (head != NOTHING) {
                    queue.unpop(head);
                }
            }
        }

        private void attack() {
            switch (random.nextInt(6)) {
                case 0 -> writeDescriptor(ring.descriptors, random.nextInt(ring.size));
                case 1 -> writeDescriptor(ring.table, random.nextInt(64));
                case 2 -> ring.usedEvent(random.nextInt(0x10000));
                case 3 -> {
                    if (random.nextInt(40) == 0) {
                        ring.availIndex(random.nextInt(0x10000));
                    }
                }
                default -> ring.offer(random.nextInt(40) == 0 ? random.nextInt(0x10000) : head());
            }
        }

        /** Mostly one that may be offered. */
        private int head() {
            int head = random.nextInt(ring.size);
            for (int i = 0; i < 8 && held.contains(head) && random.nextInt(20) > 0; i++) {
                head = random.nextInt(ring.size);
            }
            return head;
        }

        private void writeDescriptor(long table, int index) {
            boolean nearby = random.nextInt(12) > 0;
            boolean inTable = random.nextInt(12) == 0;
            int flags = random.nextInt(40) == 0 ? random.nextInt(0x10000)
                    : (random.nextInt(3) == 0 ? RawRing.NEXT : 0)
                            | (random.nextInt(4) > 0 ? RawRing.WRITE : 0);
            long length = nearby ? 1 + random.nextInt(200) : random.nextInt() & 0xffff_ffffL;
            if (random.nextInt(40) == 0) {
                length = 0;
            }
            if (inTable) {
                flags |= RawRing.INDIRECT;
                flags &= random.nextInt(6) == 0 ? -1 : ~RawRing.NEXT;
                length = random.nextInt(6) == 0 ? length : 16L * random.nextInt(ring.size + 1);
            }
            long buffer = nearby ? RawRing.RAM + random.nextInt(RAM_BYTES - 256) : address(random);
            long address = inTable && nearby ? ring.table : buffer;
            int next = random.nextInt(nearby ? ring.size : 0x10000);
            ring.entry(table, index, address, length, flags, next);
        }
    }

    /** Lets the device store into the used ring only, and only while the queue is not broken. */
    private static final class StoreChecker extends ForwardingMap {
        private final long from;
        private final long to;
        private boolean allowed = true;

        StoreChecker(RawRing ring, boolean eventIdx) {
            super(ring.map);
            this.from = ring.used;
            this.to = ring.used + 4 + 8L * ring.size + (eventIdx ? 2 : 0);
        }

        @Override
        void onStore(long address) {
            assertThat(allowed && address >= from && address < to)
                    .as("store to 0x%x", address).isTrue();
        }
    }
}
