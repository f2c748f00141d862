package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.QueueConfig.EVENT_IDX;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a queue tells its journal, when, and how it goes on from one. */
class JournalTest {

    private static final long USED = new RawRing(16).used;

    private final List<String> said = new ArrayList<>();
    private final RawRing ring = new RawRing(16, new ForwardingMap(new RawRing(16).map) {
        @Override
        void onStore(long address) {
            if (address == USED + 2) {
                said.add("used index");
            }
        }

        @Override
        public void fullFence() {
            said.add("fence");
            super.fullFence();
        }
    });
    private final Chain chain = new Chain();

    @Test
    @Rule("VHU-27")
    void shouldBeToldBetweenTheStepsOfAChain() {
        Virtqueue queue = resumed(0);
        ring.readable(3, 8).readable(5, 8).offer(3, 5);

        queue.pop(chain);
        queue.pop(chain);
        queue.push(5, 0);
        queue.push(3, 0);
        queue.publish();

        assertThat(said).containsExactly("fetched 3", "fetched 5", "pushed 5", "pushed 3",
                "used index", "published 2", "fence");
    }

    @Test
    void shouldBeToldOfAChainThatGoesBack() {
        Virtqueue queue = resumed(0);
        ring.readable(3, 8).offer(3);
        queue.pop(chain);

        queue.unpop(3);

        assertThat(said).containsExactly("fetched 3", "unfetched 3");
    }

    @Test
    void shouldNotBeToldOfChainsThatAreRefused() {
        Virtqueue queue = resumed(0);
        ring.descriptor(3, RawRing.buffer(3), 8, RawRing.NEXT, 3).offer(3);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);

        assertThat(queue.fault()).isNotNull();
        assertThat(said).isEmpty();
    }

    @Test
    void shouldNotBeToldOfAnythingByABrokenQueue() {
        Virtqueue queue = resumed(0);
        ring.readable(3, 8).readable(5, 8).offer(3, 5);
        queue.pop(chain);
        queue.pop(chain);
        queue.push(3, 0);
        said.clear();

        queue.breakWith(QueueFault.DEVICE_BROKEN);
        queue.push(5, 0);
        queue.publish();

        assertThat(said).isEmpty();
    }

    @Test
    @Rule("VHU-28")
    void shouldFetchWhatWasUnfinishedFirstAndInItsOrder() {
        for (int head : new int[] {1, 2, 7, 9}) {
            ring.readable(head, 8);
        }
        ring.map.store16(ring.used + 2, 40);
        ring.availIndex(42).offer(9).availSlot(40, 2).availSlot(41, 1);

        Virtqueue queue = resumed(42, 7, 2);

        assertThat(queue.isEmpty()).isFalse();
        assertThat(queue.hasUnfinished()).isTrue();
        assertThat(queue.pop(chain)).isEqualTo(7);
        assertThat(chain.readableBytes()).isEqualTo(8);
        assertThat(queue.pop(chain)).isEqualTo(2);
        assertThat(queue.hasUnfinished()).isFalse();
        assertThat(queue.inFlight()).isEqualTo(2);
        assertThat(queue.pop(chain)).isEqualTo(9);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        queue.push(2, 0);
        queue.push(7, 0);
        queue.push(9, 0);
        queue.publish();
        assertThat(ring.usedIndex()).isEqualTo(43);
        assertThat(said).containsExactly("fetched 9", "pushed 2", "pushed 7", "pushed 9",
                "used index", "published 43", "fence");
    }

    @Test
    @Rule("VHU-28")
    void shouldSayThatItIsNotEmptyWhenKicksAreAskedForOverUnfinishedChains() {
        for (long features : new long[] {0, EVENT_IDX}) {
            ring.readable(7, 8);
            ring.map.store16(ring.used + 2, 40);
            ring.availIndex(41);
            Virtqueue queue = SplitVirtqueue.attach(ring.config(features), ring.memory,
                    Resumption.of(41, new int[] {7}, new Recorder()));

            assertThat(queue.enableNotify()).isTrue();
            assertThat(queue.pop(chain)).isEqualTo(7);
            assertThat(queue.enableNotify()).isFalse();
        }
    }

    @Test
    void shouldBreakOverAnUnfinishedChainThatCannotBe() {
        ring.descriptor(7, RawRing.buffer(7), 8, RawRing.NEXT, 7);
        ring.map.store16(ring.used + 2, 40);
        ring.availIndex(41);
        Virtqueue queue = resumed(41, 7);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);

        assertThat(queue.fault()).isEqualTo(QueueFault.CHAIN_LOOP);
        assertThat(queue.hasUnfinished()).isFalse();
        assertThat(queue.inFlight()).isZero();
    }

    @Test
    void shouldNotUnpopWhatAnEarlierLifeFetched() {
        ring.readable(7, 8);
        ring.map.store16(ring.used + 2, 40);
        ring.availIndex(41);
        Virtqueue queue = resumed(41, 7);
        queue.pop(chain);

        assertThatThrownBy(() -> queue.unpop(7)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRefuseUnfinishedHeadsThatCannotBe() {
        for (int[] wrong : new int[][] {{16}, {-1}, {3, 3}}) {
            assertThatThrownBy(() -> resumed(2, wrong))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** The guest has changed the used index since it was read for the resumption. */
    @Test
    void shouldBreakWhenTheRingHasRoomForFewerThanAreUnfinished() {
        ring.map.store16(ring.used + 2, 41);

        assertThat(resumed(42, 7, 2).fault()).isEqualTo(QueueFault.INDEX_JUMP);
    }

    @Test
    void shouldBreakWhenItsJournalFails() {
        for (int step = 0; step < 4; step++) {
            RawRing fresh = new RawRing(16);
            fresh.readable(3, 8).offer(3);
            SplitVirtqueue queue = SplitVirtqueue.attach(fresh.config(0),
                    GuestMemory.fixed(fresh.map),
                    Resumption.of(0, new int[0], new FailingJournal(step)));

            if (queue.pop(chain) == 3) {
                if (step == 3) {
                    queue.unpop(3);
                } else {
                    queue.push(3, 0);
                    assertThat(queue.publish()).isFalse();
                }
            } else {
                assertThat(queue.inFlight()).isZero();
            }

            assertThat(queue.fault()).as("step %s", step).isEqualTo(QueueFault.MEMORY_FAULT);
            assertThat(queue.faultCause()).hasMessage("step " + step);
        }
    }

    private SplitVirtqueue resumed(int lastAvail, int... unfinished) {
        SplitVirtqueue queue = SplitVirtqueue.attach(ring.config(0), ring.memory,
                Resumption.of(lastAvail, unfinished, new Recorder()));
        said.clear();
        return queue;
    }

    private final class Recorder implements HeadJournal {
        @Override
        public void fetched(int head) {
            said.add("fetched " + head);
        }

        @Override
        public void unfetched(int head) {
            said.add("unfetched " + head);
        }

        @Override
        public void pushed(int head) {
            said.add("pushed " + head);
        }

        @Override
        public void published(int usedIndex) {
            said.add("published " + usedIndex);
        }
    }

    /** Over a file that was truncated, say. */
    private record FailingJournal(int step) implements HeadJournal {
        @Override
        public void fetched(int head) {
            failAt(0);
        }

        @Override
        public void pushed(int head) {
            failAt(1);
        }

        @Override
        public void published(int usedIndex) {
            failAt(2);
        }

        @Override
        public void unfetched(int head) {
            failAt(3);
        }

        private void failAt(int now) {
            if (now == step) {
                throw new InternalError("step " + step);
            }
        }
    }
}
