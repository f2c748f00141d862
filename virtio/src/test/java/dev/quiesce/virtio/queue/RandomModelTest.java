package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device and a correct driver take random steps in turn; each checks what it sees of the other.
 */
class RandomModelTest {

    private static final int STEPS = 4000;

    /** Few enough that neither buffers nor tables are used twice at a time. */
    private static final int MOST_OUTSTANDING = 400;

    private final long seed = new Random().nextLong();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8, 16, 64, 256, 1024, 4096, 32768})
    @Rule("VQ-13")
    @Rule("VQ-20")
    @Rule("VQ-21")
    @Rule("VQ-23")
    @Rule("VQ-27")
    @Rule("VQ-30")
    void shouldAgreeWithADriverAboutEverything(int size) {
        for (int features = 0; features < 4; features++) {
            long bits = (features & 1) * QueueConfig.INDIRECT_DESC
                    + (features >> 1) * QueueConfig.EVENT_IDX;
            long runSeed = seed + features;
            try {
                new Run(size, bits, runSeed).play();
            } catch (AssertionError | RuntimeException failure) {
                throw new AssertionError("size " + size + ", features 0x" + Long.toHexString(bits)
                        + ", seed " + runSeed, failure);
            }
        }
    }

    private static final class Run {
        private final Random random;
        private final RawRing ring;
        private final SplitVirtqueue queue;
        private final ModelDriver driver;
        private final List<Chain> held = new ArrayList<>();
        private int pushed;
        private int served;
        private boolean deviceWaits;
        private boolean kicked;

        Run(int size, long features, long seed) {
            this.random = new Random(seed);
            ByteBuffer ram = random.nextBoolean()
                    ? ByteBuffer.allocate(RawRing.RAM_BYTES)
                    : ByteBuffer.allocateDirect(RawRing.RAM_BYTES);
            this.ring = new RawRing(size, RegionMap.builder().add(RawRing.RAM, ram).build());
            this.queue = ring.queueAt(65535, features);
            this.driver = new ModelDriver(ring, random, features);
        }

        void play() {
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(10)) {
                    case 0, 1, 2 -> offer();
                    case 3, 4 -> popSome();
                    case 5 -> unpop();
                    case 6 -> finishSome();
                    case 7 -> publish();
                    case 8 -> driver.poll();
                    default -> changeNotifications();
                }
                assertThat(queue.fault()).isNull();
                assertThat(queue.inFlight()).isEqualTo(held.size() + pushed);
            }
            settle();
        }

        private void offer() {
            int chains = 1 + random.nextInt(8);
            while (chains-- > 0 && driver.outstanding.size() < MOST_OUTSTANDING) {
                driver.add();
            }
            boolean hadNothing = queue.isEmpty();
            boolean kick = driver.publish();
            if (deviceWaits && hadNothing && !queue.isEmpty()) {
                assertThat(kick).as("a device that waits is kicked").isTrue();
                deviceWaits = false;
            }
            kicked |= kick;
        }

        private void popSome() {
            for (int i = random.nextInt(12); i > 0; i--) {
                Chain chain = new Chain();
                int head = queue.pop(chain);
                if (head == NOTHING) {
                    return;
                }
                check(head, chain);
                held.add(chain);
            }
        }

        private void check(int head, Chain chain) {
            ModelDriver.Expected expected = driver.outstanding.get(head);
            assertThat(chain.head()).isEqualTo(head);
            assertThat(chain.writableBytes()).isEqualTo(expected.writableBytes);
            byte[] read = new byte[expected.readable.length];
            assertThat(chain.copyFromReadable(0, read, 0, read.length)).isTrue();
            assertThat(chain.readableBytes()).isEqualTo(read.length);
            assertThat(read).isEqualTo(expected.readable);
        }

        private void unpop() {
            if (!queue.isEmpty() && random.nextBoolean()) {
                Chain chain = new Chain();
                int head = queue.pop(chain);
                queue.unpop(head);
                assertThat(queue.pop(chain)).isEqualTo(head);
                check(head, chain);
                held.add(chain);
            }
        }

        private void finishSome() {
            for (int i = random.nextInt(12); i > 0 && !held.isEmpty(); i--) {
                Chain chain = held.remove(random.nextInt(held.size()));
                byte[] answer = new byte[random.nextInt((int) chain.writableBytes() + 1)];
                random.nextBytes(answer);
                assertThat(chain.copyToWritable(0, answer, 0, answer.length)).isTrue();
                driver.outstanding.get(chain.head()).answerWith(answer);
                queue.push(chain.head(), answer.length);
                pushed++;
                served++;
            }
        }

        private void publish() {
            boolean interrupt = queue.publish();
            driver.onDevicePublished(pushed, interrupt);
            pushed = 0;
        }

        private void changeNotifications() {
            switch (random.nextInt(4)) {
                case 0 -> {
                    queue.disableNotify();
                    deviceWaits = false;
                }
                case 1 -> deviceWaits = !queue.enableNotify();
                case 2 -> driver.disableInterrupts();
                default -> driver.enableInterrupts();
            }
        }

        private void settle() {
            driver.publish();
            while (!driver.outstanding.isEmpty()) {
                popSome();
                finishSome();
                publish();
                driver.poll();
            }
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.inFlight()).isZero();
            assertThat(served).isPositive();
            assertThat(kicked).isTrue();
            int index = (65535 + served) & 0xffff;
            assertThat(queue.state()).isEqualTo(new QueueState(index, index));
            assertThat(Arrays.asList(ring.availIndex(), ring.usedIndex())).containsOnly(index);
        }
    }
}
