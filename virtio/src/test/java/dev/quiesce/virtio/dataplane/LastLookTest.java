package dev.quiesce.virtio.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.dataplane.QueuePump.LastLook;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.device.VirtioDeviceConfig;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.HeadJournal;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.Resumption;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a pump still takes from its ring when it is stopped before it has looked at it. */
class LastLookTest {
    private static final int ENTRIES = 256;
    private static final QueueConfig RING = new QueueConfig(ENTRIES, 0, 0x1000, 0x2000, 0);

    private final AioContext main = new AioContext("main", LoopSeams.system());
    private final Lease lease = main.acquire();
    private final MemoryMap memory = RegionMap.builder()
            .add(0, ByteBuffer.allocateDirect(0x4000)).build();
    private final List<Integer> served = new ArrayList<>();
    private final QueuePump pump = new QueuePump(new Device(main, memory), 0, this::serve);
    private boolean idle;

    @AfterEach
    void leave() {
        lease.close();
    }

    @Test
    @Rule("VHU-17")
    void shouldTakeAllThatAnEarlierLifeLeftBeforeItsRingGoes() {
        int[] unfinished = new int[100]; // More than a batch.
        for (int i = 0; i < unfinished.length; i++) {
            unfinished[i] = unfinished.length - i;
        }
        install(unfinished);

        pump.attachHere(main);
        pump.detachHere(LastLook.UNFINISHED, () -> idle = true);
        assertThat(served).hasSize(unfinished.length).startsWith(100, 99, 98);
        main.poll(0);

        assertThat(idle).isTrue();
        assertThat(memory.load16(RING.usedAddress() + 2)).isEqualTo(unfinished.length);
    }

    @Test
    void shouldLeaveThemToTheRingIfItStays() {
        install(7);

        pump.attachHere(main);
        pump.detachHere(LastLook.NONE, () -> idle = true);
        main.poll(0);

        assertThat(idle).isTrue();
        assertThat(served).isEmpty();

        pump.attachHere(main);
        main.poll(0);
        assertThat(served).containsExactly(7);
    }

    private void install(int... unfinished) {
        for (int head : unfinished) {
            memory.store64(16L * head, 0x3000);
            memory.store32(16L * head + 8, 16);
        }
        memory.store16(RING.availAddress() + 2, unfinished.length);
        pump.install(SplitVirtqueue.attach(RING, GuestMemory.fixed(memory),
                Resumption.of(unfinished.length, unfinished, new Silent())));
    }

    private Chain serve(int head, Chain popped) {
        served.add(head);
        pump.push(head, 0);
        return popped;
    }

    /** A journal that nobody reads. */
    private static final class Silent implements HeadJournal {
        @Override
        public void fetched(int head) {
            throw new AssertionError("head " + head + " was fetched before");
        }

        @Override
        public void unfetched(int head) {
            throw new AssertionError("head " + head + " was fetched before");
        }

        @Override
        public void pushed(int head) {
            assertThat(head).isPositive();
        }

        @Override
        public void published(int usedIndex) {
            assertThat(usedIndex).isPositive();
        }
    }

    /** A device whose only queue is driven by the test. */
    private static final class Device extends VirtioDevice {
        Device(AioContext main, MemoryMap memory) {
            super(new VirtioDeviceConfig("device", main, GuestMemory.fixed(memory),
                    new Interrupt() {
                        @Override
                        public void queue(int index) {
                            // Nobody listens.
                        }

                        @Override
                        public void config() {
                            // Nobody listens.
                        }
                    }, 1, ENTRIES));
        }

        @Override
        public int deviceId() {
            return 0;
        }

        @Override
        public long offeredFeatures() {
            return VirtioFeatures.VERSION_1;
        }

        @Override
        public long readConfig(int offsetBytes, int widthBytes) {
            return 0;
        }

        @Override
        public void writeConfig(int offsetBytes, int widthBytes, long value) {
            // There is none.
        }

        @Override
        protected CompletionStage<Void> onDriverOk() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onReset() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onQueueStart(int index, SplitVirtqueue ring) {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onQueueStop(int index) {
            return CompletableFuture.completedStage(null);
        }
    }
}
