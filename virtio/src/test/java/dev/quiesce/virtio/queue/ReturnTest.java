package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.PublishedMemory;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Pushing, publishing, restoring, and a memory that changes. */
class ReturnTest {

    private final RawRing ring = new RawRing(16);
    private final Chain chain = new Chain();

    @Test
    @Rule("VQ-20")
    @Rule("VQ-22")
    void shouldShowUsedElementsOnlyWhenPublishedAndAllAtOnce() {
        Virtqueue queue = ring.queue(0);
        ring.readable(4, 8).readable(5, 8).readable(6, 8).offer(4, 5, 6);
        queue.pop(chain);
        queue.pop(chain);
        queue.pop(chain);

        queue.push(6, 600);
        queue.push(4, 0);
        assertThat(ring.usedIndex()).isZero();
        assertThat(queue.inFlight()).isEqualTo(3);
        queue.publish();

        assertThat(ring.usedIndex()).isEqualTo(2);
        assertThat(ring.usedId(0)).isEqualTo(6);
        assertThat(ring.usedLength(0)).isEqualTo(600);
        assertThat(ring.usedId(1)).isEqualTo(4);
        assertThat(ring.usedLength(1)).isZero();
        assertThat(queue.inFlight()).isOne();
        queue.push(5, 8);
        queue.publish();
        assertThat(ring.usedId(2)).isEqualTo(5);
        assertThat(queue.state()).isEqualTo(new QueueState(3, 3));
    }

    @Test
    @Rule("VQ-20")
    @Rule("RVQ-T02")
    @Rule("RVQ-T23")
    void shouldRefuseToPushWhatIsNotOutstanding() {
        Virtqueue queue = ring.queue(0);
        ring.readable(1, 8).readable(2, 8).offer(1);
        queue.pop(chain);

        assertThatThrownBy(() -> queue.push(2, 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("head 2");
        assertThatThrownBy(() -> queue.push(16, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue.push(-1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue.push(1, -1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1 bytes");
        queue.push(1, 0);
        assertThatThrownBy(() -> queue.push(1, 0)).isInstanceOf(IllegalArgumentException.class);

        queue.publish();
        assertThat(ring.usedIndex()).isOne();
        assertThat(queue.fault()).isNull();
    }

    @Test
    @Rule("VQ-4")
    @Rule("VQ-30")
    void shouldRunIndicesFreelyThroughTheWrap() {
        RawRing largest = new RawRing(QueueConfig.SIZE_MAX);
        Virtqueue queue = largest.queueAt(65535, 0);
        largest.readable(100, 8).readable(200, 8);
        largest.offer(100, 200);

        queue.push(queue.pop(chain), 1);
        queue.push(queue.pop(chain), 2);
        queue.publish();

        assertThat(largest.usedIndex()).isEqualTo(1);
        assertThat(largest.usedId(65535)).isEqualTo(100);
        assertThat(largest.usedId(0)).isEqualTo(200);
        assertThat(queue.state()).isEqualTo(new QueueState(1, 1));
    }

    @Test
    void shouldServeTheSmallestRing() {
        RawRing one = new RawRing(1);
        Virtqueue queue = one.queueAt(65534, QueueConfig.INDIRECT_DESC);
        one.descriptor(0, buffer(0), 8, WRITE, 0);
        for (int i = 0; i < 5; i++) {
            one.offer(0);
            assertThat(queue.pop(chain)).isZero();
            assertThat(queue.pop(chain)).isEqualTo(NOTHING);
            queue.push(0, i);
            queue.publish();
            assertThat(one.usedIndex()).isEqualTo((65535 + i) & 0xffff);
            assertThat(one.usedLength(0)).isEqualTo(i);
        }
    }

    @Test
    @Rule("VQ-5")
    @Rule("PURGE-32")
    @Rule("RVQ-T21")
    void shouldGoOnWhereASavedQueueStood() {
        SplitVirtqueue queue = ring.queue(0);
        ring.readable(1, 8).readable(2, 8).readable(3, 8).offer(1, 2);
        queue.push(queue.pop(chain), 0);
        queue.pop(chain);
        queue.publish();
        QueueState saved = queue.state();

        SplitVirtqueue restored = SplitVirtqueue.restore(ring.config(0), ring.memory, saved);
        restored.adopt(2);
        ring.offer(3);

        assertThat(saved).isEqualTo(new QueueState(2, 1));
        assertThat(restored.inFlight()).isOne();
        assertThat(restored.pop(chain)).isEqualTo(3);
        restored.push(3, 0);
        restored.push(2, 0);
        restored.publish();
        assertThat(ring.usedIndex()).isEqualTo(3);
        assertThat(ring.usedId(1)).isEqualTo(3);
        assertThat(ring.usedId(2)).isEqualTo(2);
    }

    @Test
    @Rule("PURGE-32")
    @Rule("RVQ-T21")
    @Rule("SBUG-32")
    void shouldRefuseASavedStateThatCannotBe() {
        assertThatThrownBy(() -> new QueueState(65536, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("65536");
        assertThatThrownBy(() -> new QueueState(0, -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SplitVirtqueue.restore(
                ring.config(0), ring.memory, new QueueState(17, 0)))
                .isInstanceOf(IllegalArgumentException.class);

        SplitVirtqueue queue =
                SplitVirtqueue.restore(ring.config(0), ring.memory, new QueueState(2, 0));
        queue.adopt(15);
        assertThatThrownBy(() -> queue.adopt(15)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue.adopt(16)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue.adopt(-1)).isInstanceOf(IllegalArgumentException.class);
        queue.adopt(0);
        assertThatThrownBy(() -> queue.adopt(1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> queue.unpop(0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @Rule("VQ-5")
    void shouldReadTheUsedIndexOfARingItTakesOver() {
        ring.map.store16(ring.used + 2, 65535);
        ring.availIndex(3).readable(9, 8).availSlot(1, 9).availSlot(2, 9);

        SplitVirtqueue queue = SplitVirtqueue.attach(ring.config(0), ring.memory, Resumption.at(1));

        assertThat(queue.state()).isEqualTo(new QueueState(1, 65535));
        queue.adopt(4);
        queue.adopt(5);
        assertThatThrownBy(() -> queue.adopt(6)).isInstanceOf(IllegalArgumentException.class);
        assertThat(queue.pop(chain)).isEqualTo(9);
        queue.push(4, 7);
        queue.publish();
        assertThat(ring.usedIndex()).isZero();
        assertThat(ring.usedId(65535)).isEqualTo(4);
    }

    @Test
    @Rule("VQ-5")
    void shouldNotTakeOverARingWhoseUsedIndexCannotBeRight() {
        ring.map.store16(ring.used + 2, 100);
        FailingMap failing = new FailingMap(ring.map);
        failing.failAfter(0, new InternalError());

        assertThat(SplitVirtqueue.attach(ring.config(0), ring.memory, Resumption.at(1)).fault())
                .isEqualTo(QueueFault.INDEX_JUMP);
        assertThat(SplitVirtqueue.attach(
                ring.config(0), () -> failing, Resumption.at(1)).fault())
                .isEqualTo(QueueFault.MEMORY_FAULT);
        assertThatThrownBy(() -> SplitVirtqueue.attach(
                ring.config(0), ring.memory, Resumption.at(1 << 16)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Rule("VQ-37")
    @Rule("VQ-40")
    @Rule("RVQ-T03")
    @Rule("RVQ-T13")
    void shouldKeepLateCompletionsOutOfTheNextRing() {
        Virtqueue old = ring.queue(0);
        ring.readable(1, 8).readable(2, 8).offer(1, 2);
        old.pop(chain);
        old.pop(chain);
        old.push(1, 0);

        old.breakWith(QueueFault.RETIRED);
        ring.availIndex(0);
        Virtqueue next = ring.queue(0);
        old.push(2, 8);

        assertThat(old.publish()).isFalse();
        assertThat(next.pop(chain)).isEqualTo(NOTHING);
        assertThat(next.inFlight()).isZero();
        assertThat(ring.usedIndex()).isZero();
    }

    @Test
    @Rule("VQ-19")
    void shouldDropElementsOnlyWhenBroken() {
        Virtqueue queue = ring.queue(0);
        ring.readable(1, 8).offer(1);
        queue.pop(chain);

        assertThatThrownBy(() -> queue.drop(1)).isInstanceOf(IllegalStateException.class);
        queue.breakWith(QueueFault.DEVICE_BROKEN);
        queue.drop(1);

        assertThat(queue.inFlight()).isZero();
        assertThatThrownBy(() -> queue.drop(1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Rule("VQ-3")
    void shouldUseTheMapThatIsValidNow() {
        MemoryMap larger = RegionMap.builder()
                .add(RawRing.RAM, sameBytes())
                .add(0x9000_0000L, ByteBuffer.allocateDirect(64))
                .build();
        PublishedMemory memory = new PublishedMemory(ring.map);
        Virtqueue queue = new SplitVirtqueue(ring.config(0), memory);
        ring.readable(0, 8).descriptor(1, 0x9000_0000L, 64, WRITE, 0).offer(0, 1);
        queue.pop(chain);

        memory.publish(larger);
        Chain second = new Chain();

        assertThat(queue.pop(second)).isEqualTo(1);
        assertThat(second.memory()).isSameAs(larger);
        assertThat(chain.memory()).isSameAs(ring.map);
    }

    @Test
    @Rule("MAL-17")
    void shouldBreakWhenTheRingsMemoryGoesAway() {
        PublishedMemory memory = new PublishedMemory(ring.map);
        Virtqueue queue = new SplitVirtqueue(ring.config(0), memory);
        ring.readable(0, 8).readable(1, 8).offer(0, 1);
        queue.pop(chain);
        byte[] before = ring.wholeRam();

        memory.publish(RegionMap.builder().build());
        queue.push(0, 8);

        assertThat(queue.fault()).isEqualTo(QueueFault.MEMORY_FAULT);
        assertThat(queue.publish()).isFalse();
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.inFlight()).isZero();
        assertThat(ring.wholeRam()).isEqualTo(before);
    }

    private ByteBuffer sameBytes() {
        ByteBuffer[] ram = new ByteBuffer[1];
        ring.map.resolve(RawRing.RAM, RawRing.RAM_BYTES, true, (base, offset, length) -> {
            ram[0] = base;
            return true;
        });
        return ram[0];
    }
}
