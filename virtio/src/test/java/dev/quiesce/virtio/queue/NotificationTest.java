package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.QueueConfig.EVENT_IDX;
import static dev.quiesce.virtio.queue.QueueConfig.NOTIFY_ON_EMPTY;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Who is told when: interrupts by flag and event, kicks by flag and event. */
class NotificationTest {

    private final RawRing ring = new RawRing(16);
    private final Chain chain = new Chain();

    @Test
    @Rule("VQ-23")
    void shouldInterruptUnlessTheDriverSetItsFlag() {
        Virtqueue queue = ring.queue(0);

        assertThat(serveOne(queue)).isTrue();
        ring.availFlags(1);
        assertThat(serveOne(queue)).isFalse();
        ring.availFlags(0xfffe);
        assertThat(serveOne(queue)).isTrue();
    }

    @Test
    @Rule("VQ-23")
    @Rule("RVQ-T04")
    void shouldNotInterruptWhenNothingWasPublished() {
        Virtqueue queue = ring.queue(0);
        assertThat(queue.publish()).isFalse();
        serveOne(queue);
        assertThat(queue.publish()).isFalse();
    }

    @Test
    @Rule("VQ-23")
    @Rule("VQ-25")
    @Rule("VQ-30")
    @Rule("RVQ-T04")
    @Rule("RVQ-T22")
    void shouldInterruptExactlyWhenTheUsedIndexPassesTheEvent() {
        Virtqueue queue = ring.queue(EVENT_IDX);
        ring.availFlags(1);
        assertThat(serveOne(queue)).as("the first time nobody knows what was signalled").isTrue();

        for (int event : new int[] {4, 8, 15, 65532, 65535, 0, 3}) {
            ring.usedEvent(event);
            for (int i = 0; i < 65536; i++) {
                int old = ring.usedIndex();
                boolean told = serveOne(queue);
                assertThat(told).as("event %s, used index %s", event, old).isEqualTo(old == event);
            }
        }
        assertThat(ring.usedFlags()).isZero();
    }

    @Test
    @Rule("VQ-23")
    void shouldInterruptOnceForABatchThatPassesTheEvent() {
        for (int event = 0; event < 12; event++) {
            RawRing fresh = new RawRing(16);
            Virtqueue queue = fresh.queueAt(65534, EVENT_IDX);
            push(fresh, queue, 1);
            queue.publish();
            fresh.usedEvent((65533 + event) & 0xffff);

            push(fresh, queue, 8);

            assertThat(queue.publish()).isEqualTo(event >= 2 && event < 10);
        }
    }

    @Test
    @Rule("VQ-24")
    void shouldInterruptWhenItIsUnclearWhatWasSignalledLast() {
        SplitVirtqueue queue = ring.queue(EVENT_IDX);
        serveOne(queue);
        ring.usedEvent(40_000);
        for (int i = 0; i < 32_768; i++) {
            push(ring, queue, 1);
            queue.storeUsedIndexRelease();
        }

        assertThat(queue.wantsInterrupt()).isTrue();
        assertThat(serveOne(queue)).isFalse();
    }

    @Test
    @Rule("VQ-23")
    void shouldInterruptWhenTheRingRanEmptyIfThatWasNegotiated() {
        Virtqueue queue = ring.queue(NOTIFY_ON_EMPTY);
        ring.availFlags(1).readable(0, 8).readable(1, 8).offer(0, 1);
        queue.push(queue.pop(chain), 0);
        assertThat(queue.publish()).isFalse();

        queue.push(queue.pop(chain), 0);

        assertThat(queue.publish()).isTrue();
    }

    @Test
    @Rule("VQ-26")
    @Rule("RVQ-T05")
    void shouldAskForKicksByFlag() {
        Virtqueue queue = ring.queue(0);
        assertThat(queue.notifyEnabled()).isTrue();

        queue.disableNotify();
        assertThat(ring.usedFlags()).isOne();
        assertThat(queue.notifyEnabled()).isFalse();
        assertThat(queue.enableNotify()).isFalse();
        assertThat(ring.usedFlags()).isZero();
        queue.disableNotify();
        assertThat(ring.usedFlags()).isOne();
    }

    @Test
    @Rule("VQ-10")
    @Rule("VQ-25")
    @Rule("VQ-26")
    @Rule("RVQ-T05")
    void shouldAskForKicksByEvent() {
        Virtqueue queue = ring.queue(EVENT_IDX);
        ring.readable(0, 8).readable(1, 8).readable(2, 8).offer(0);
        queue.pop(chain);
        assertThat(ring.availEvent()).as("kept up while enabled").isOne();

        queue.disableNotify();
        ring.offer(1);
        queue.pop(chain);
        assertThat(ring.availEvent()).as("behind while disabled").isZero();
        assertThat(queue.enableNotify()).isFalse();
        assertThat(ring.availEvent()).isEqualTo(2);
        queue.disableNotify();
        ring.offer(2);
        assertThat(queue.enableNotify()).isTrue();
        assertThat(ring.availEvent()).isEqualTo(3);
        assertThat(ring.usedFlags()).isZero();
    }

    @Test
    @Rule("VQ-27")
    @Rule("VQ-28")
    @Rule("SBUG-46")
    void shouldSeeWhatWasOfferedJustBeforeKicksWereEnabled() {
        for (long features : new long[] {0, EVENT_IDX}) {
            RawRing fresh = new RawRing(16);
            SplitVirtqueue queue = fresh.queue(features);
            fresh.readable(0, 8).readable(1, 8).offer(0);
            queue.disableNotify();
            queue.pop(chain);
            assertThat(queue.pop(chain)).isEqualTo(NOTHING);

            queue.armNotify();
            fresh.offer(1);
            queue.fence();

            assertThat(queue.isPending()).isTrue();
            assertThat(queue.pop(chain)).isEqualTo(1);
        }
    }

    @Test
    @Rule("VQ-27")
    @Rule("RVQ-T06")
    @Rule("VSCSI-18")
    void shouldServeEverythingInTheCanonicalLoop() {
        for (long features : new long[] {0, EVENT_IDX}) {
            RawRing fresh = new RawRing(16);
            Virtqueue queue = fresh.queue(features);
            for (int head = 0; head < 7; head++) {
                fresh.readable(head, 8).availSlot(head, head);
            }
            int[] steps = {2, 4, 4, 7};
            int rounds = 0;
            fresh.availIndex(steps[0]);

            for (int step = 0; step < steps.length; ) {
                queue.disableNotify();
                for (int head = queue.pop(chain); head != NOTHING; head = queue.pop(chain)) {
                    queue.push(head, 0);
                }
                queue.publish();
                rounds++;
                step++;
                if (step == 1) {
                    fresh.availIndex(steps[1]); // just before the loop would end
                    assertThat(queue.enableNotify()).isTrue();
                } else {
                    assertThat(queue.enableNotify()).isFalse();
                    fresh.availIndex(step < steps.length ? steps[step] : 7);
                }
            }

            assertThat(rounds).isEqualTo(4);
            assertThat(queue.state()).isEqualTo(new QueueState(7, 7));
        }
    }

    @Test
    @Rule("VQ-29")
    void shouldTolerateKicksThatNobodyNeeds() {
        Virtqueue queue = ring.queue(EVENT_IDX);
        for (int i = 0; i < 3; i++) {
            assertThat(queue.pop(chain)).isEqualTo(NOTHING);
            assertThat(queue.enableNotify()).isFalse();
        }
        assertThat(queue.fault()).isNull();
    }

    @Test
    @Rule("MAL-22")
    void shouldTakeAnyEventIndexForANotificationOnly() {
        Virtqueue queue = ring.queue(EVENT_IDX);
        for (int event = 0; event < 65536; event += 251) {
            ring.usedEvent(event);
            serveOne(queue);
        }
        assertThat(queue.fault()).isNull();
    }

    @Test
    void shouldSuppressNothingWhenTheGuestsStoresAreNotOrdered() {
        RawRing unordered = new RawRing(16, RegionMap.builder()
                .add(RawRing.RAM, ByteBuffer.allocate(RawRing.RAM_BYTES))
                .guestStoresOrdered(false)
                .build());
        Virtqueue queue = unordered.queue(0);
        unordered.availFlags(1).readable(0, 8).readable(1, 8).offer(0);
        byte[] flags = unordered.read(unordered.used, 2);

        queue.disableNotify();
        assertThat(queue.notifyEnabled()).isTrue();
        queue.push(queue.pop(chain), 0);
        assertThat(queue.publish()).as("the driver's wish may be stale").isTrue();
        unordered.offer(1);
        assertThat(queue.enableNotify()).as("only a kick may make us look").isFalse();

        assertThat(unordered.read(unordered.used, 2)).isEqualTo(flags);
        assertThatThrownBy(() -> unordered.queue(EVENT_IDX))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Rule("VQ-9")
    void shouldReadNoFurtherThanTheDriversThreadSaidWhenStoresAreNotOrdered() {
        RawRing unordered = new RawRing(16, RegionMap.builder()
                .add(RawRing.RAM, ByteBuffer.allocate(RawRing.RAM_BYTES))
                .guestStoresOrdered(false)
                .build());
        Virtqueue queue = unordered.queue(0);
        unordered.readable(0, 8).readable(1, 8).offer(0, 1);

        queue.availableUpTo(0);
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.pop(chain)).isEqualTo(Virtqueue.NOTHING);
        queue.availableUpTo(1);
        assertThat(queue.pop(chain)).isZero();
        assertThat(queue.pop(chain)).isEqualTo(Virtqueue.NOTHING);
        queue.availableUpTo(1000);

        assertThat(queue.pop(chain)).isEqualTo(Virtqueue.NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.INDEX_JUMP);
    }

    @Test
    @Rule("VQ-9")
    void shouldReadTheIndexItselfWhereStoresAreOrdered() {
        Virtqueue queue = ring.queue(0);
        ring.readable(0, 8).offer(0);

        queue.availableUpTo(0);

        assertThat(queue.pop(chain)).isZero();
    }

    private boolean serveOne(Virtqueue queue) {
        push(ring, queue, 1);
        return queue.publish();
    }

    private void push(RawRing on, Virtqueue queue, int count) {
        for (int head = 0; head < count; head++) {
            on.readable(head, 8).offer(head);
            assertThat(queue.pop(chain)).isEqualTo(head);
            queue.push(head, 0);
        }
    }
}
