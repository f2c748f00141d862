package dev.quiesce.testkit.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.MemoryMap;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The driver against a device that is nothing but a test writing into the used ring. */
class DriverQueueTest {

    private static final int SIZE = 8;

    private final GuestRam ram = GuestRam.direct(0x1000, 1 << 16);
    private final long buffer = ram.allocate(4096, 16);
    private final BufferList buffers = new BufferList();
    private final Log log = new Log();
    private DriverQueue queue = new DriverQueue(ram, new DriverQueueConfig(SIZE, false, false));
    private int usedIndex;

    @Test
    void shouldBuildTheChainTheStandardDescribes() {
        queue.add(buffers.clear().readable(buffer, 51).readable(buffer + 64, 512)
                .writable(buffer + 1024, 108), 7);
        assertThat(load16(queue.availAddress() + 2)).as("not yet published").isZero();

        assertThat(queue.publish()).isTrue();

        assertThat(load16(queue.availAddress() + 2)).isOne();
        int head = load16(queue.availAddress() + 4);
        long first = queue.descriptorAddress() + 16L * head;
        long second = queue.descriptorAddress() + 16L * load16(first + 14);
        long third = queue.descriptorAddress() + 16L * load16(second + 14);
        assertThat(map().load64(first)).isEqualTo(buffer);
        assertThat(map().load32(first + 8)).isEqualTo(51);
        assertThat(load16(first + 12)).isEqualTo(HostileRing.NEXT);
        assertThat(load16(second + 12)).isEqualTo(HostileRing.NEXT);
        assertThat(map().load32(third + 8)).isEqualTo(108);
        assertThat(load16(third + 12)).isEqualTo(HostileRing.WRITE);
        assertThat(queue.freeDescriptors()).isEqualTo(SIZE - 3);
        assertThat(queue.outstanding()).isOne();
    }

    @Test
    void shouldPutAChainOfSeveralBuffersIntoATable() {
        queue = new DriverQueue(ram, new DriverQueueConfig(SIZE, true, false));

        queue.add(buffers.clear().readable(buffer, 51).writable(buffer + 1024, 108), 7);
        queue.add(buffers.clear().readable(buffer, 51), 8);

        long first = queue.descriptorAddress() + 16L * load16(queue.availAddress() + 4);
        long alone = queue.descriptorAddress() + 16L * load16(queue.availAddress() + 6);
        long table = map().load64(first);
        assertThat(map().load32(first + 8)).isEqualTo(32);
        assertThat(load16(first + 12)).isEqualTo(HostileRing.INDIRECT);
        assertThat(map().load64(table)).isEqualTo(buffer);
        assertThat(load16(table + 14)).isOne();
        assertThat(load16(table + 28)).isEqualTo(HostileRing.WRITE);
        assertThat(load16(alone + 12)).isZero();
        assertThat(queue.freeDescriptors()).isEqualTo(SIZE - 2);
    }

    @Test
    void shouldReuseDescriptorsForEver() {
        int taken = 0;
        for (int round = 0; round < 70_000; round++) {
            boolean room = true;
            while (room) {
                room = queue.add(buffers.clear().readable(buffer, 8).writable(buffer, 8), round);
            }
            queue.publish();
            use(head(round % SIZE), 8);
            taken += queue.poll(log);
        }
        assertThat(taken).isEqualTo(70_000);
        assertThat(log.violations).isEmpty();
        assertThat(queue.outstanding()).isEqualTo(3);
        assertThat(queue.freeDescriptors()).isEqualTo(2);
    }

    @Test
    void shouldHandBackTokensInTheOrderOfTheUsedRing() {
        add(100);
        add(200);
        use(head(1), 5);
        use(head(0), 0);

        assertThat(queue.hasUsed()).isTrue();
        assertThat(queue.poll(log)).isEqualTo(2);
        assertThat(log.used).containsExactly("200:5", "100:0");
        assertThat(queue.poll(log)).isZero();
        assertThat(queue.hasUsed()).isFalse();
    }

    @Test
    void shouldReportAChainThatIsAnsweredTwice() {
        add(100);
        add(200);
        use(head(0), 1);
        use(head(0), 1);

        assertThat(queue.poll(log)).isOne();

        assertThat(log.used).containsExactly("100:1");
        assertThat(log.violations).containsExactly(
                new RingViolation(RingViolation.Kind.NOT_OUTSTANDING, 1, head(0)));
        assertThat(queue.outstanding()).isOne();
    }

    @Test
    void shouldReportAnswersThatCannotBe() {
        add(100);
        add(200);
        use(0xffff, 1);
        use(head(0), 9);

        assertThat(queue.poll(log)).isOne();
        assertThat(log.violations).containsExactly(
                new RingViolation(RingViolation.Kind.ID_OUT_OF_RANGE, 0, 0xffff),
                new RingViolation(RingViolation.Kind.TOO_LONG, 1, 9));
        use(head(1), 0);
        use(head(1), 0);
        assertThat(queue.poll(log)).isZero();
        assertThat(log.violations.get(2))
                .isEqualTo(new RingViolation(RingViolation.Kind.INDEX_JUMP, 2, 4));
        assertThat(queue.isBroken()).isTrue();
        assertThat(queue.hasUsed()).isFalse();
        assertThat(queue.poll(log)).isZero();
        assertThat(log.violations).hasSize(3);
    }

    @Test
    @Rule("LQO-T04")
    void shouldKickAsTheDeviceAsks() {
        map().store16(queue.usedAddress(), 1);
        queue.add(buffers.clear().writable(buffer, 8), 1);
        assertThat(queue.publish()).isFalse();
        map().store16(queue.usedAddress(), 0);
        assertThat(queue.publish()).as("nothing new").isFalse();
        queue.add(buffers.clear().writable(buffer, 8), 2);
        assertThat(queue.publish()).isTrue();

        queue = new DriverQueue(ram, new DriverQueueConfig(SIZE, false, true));
        long availEvent = queue.usedAddress() + 4 + 8 * SIZE;
        map().store16(availEvent, 1);
        queue.add(buffers.clear().writable(buffer, 8), 1);
        assertThat(queue.publish()).isFalse();
        queue.add(buffers.clear().writable(buffer, 8), 2);
        assertThat(queue.publish()).isTrue();
        queue.add(buffers.clear().writable(buffer, 8), 3);
        assertThat(queue.publish()).isFalse();
    }

    @Test
    void shouldAskForInterruptsAndLookAgain() {
        queue.disableInterrupts();
        assertThat(load16(queue.availAddress())).isOne();
        add(1);
        use(head(0), 0);
        assertThat(queue.enableInterrupts()).isTrue();
        assertThat(load16(queue.availAddress())).isZero();
        queue.poll(log);
        assertThat(queue.enableInterrupts()).isFalse();

        queue = new DriverQueue(ram, new DriverQueueConfig(SIZE, false, true));
        long usedEvent = queue.availAddress() + 4 + 2 * SIZE;
        queue.disableInterrupts();
        assertThat(load16(usedEvent)).isEqualTo(0xffff);
        assertThat(queue.enableInterrupts()).isFalse();
        assertThat(load16(usedEvent)).isZero();
    }

    @Test
    void shouldGiveItsMemoryBack() {
        long before = ram.allocatedBytes();
        queue = new DriverQueue(ram, new DriverQueueConfig(SIZE, true, true));
        queue.add(buffers.clear().readable(buffer, 8).writable(buffer, 8), 0);
        queue.add(buffers.clear().readable(buffer, 8).writable(buffer, 8), 1);

        queue.free();

        assertThat(ram.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void shouldRefuseMisuse() {
        assertThatThrownBy(() -> new DriverQueueConfig(12, false, false))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("12");
        assertThatThrownBy(() -> queue.add(buffers.clear(), 0))
                .isInstanceOf(IllegalArgumentException.class);
        buffers.clear();
        for (int i = 0; i <= SIZE; i++) {
            buffers.readable(buffer, 8);
        }
        assertThatThrownBy(() -> queue.add(buffers, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("9 buffers");
        assertThatThrownBy(() -> buffers.clear().writable(buffer, 8).readable(buffer, 8))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> buffers.clear().readable(buffer, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private void add(long token) {
        queue.add(buffers.clear().writable(buffer, 8), token);
        queue.publish();
    }

    private int head(int index) {
        return load16(queue.availAddress() + 4 + 2L * index);
    }

    /** What a device does to give a chain back. */
    private void use(int id, int length) {
        long at = queue.usedAddress() + 4 + 8L * (usedIndex % SIZE);
        map().store32(at, id);
        map().store32(at + 4, length);
        usedIndex = (usedIndex + 1) & 0xffff;
        map().storeRelease16(queue.usedAddress() + 2, usedIndex);
    }

    private MemoryMap map() {
        return ram.whole();
    }

    private int load16(long address) {
        return map().load16(address);
    }

    private static final class Log implements UsedHandler {
        private final List<String> used = new ArrayList<>();
        private final List<RingViolation> violations = new ArrayList<>();

        @Override
        public void onUsed(long token, int writtenBytes) {
            if (used.size() < 100) {
                used.add(token + ":" + writtenBytes);
            }
        }

        @Override
        public void onViolation(RingViolation violation) {
            violations.add(violation);
        }
    }
}
