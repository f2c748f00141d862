package dev.quiesce.virtio.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StatusWriteTest {
    private static final int UP = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER
            | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK;

    private final AioContext main = new AioContext("main", LoopSeams.system());
    private final Lease lease = main.acquire();
    private final FailingDevice device = new FailingDevice(main);

    @AfterEach
    void leave() {
        lease.close();
    }

    @Test
    @Rule("VSCSI-49")
    void shouldTakeTheNextWriteAfterOneThatFailed() {
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);

        CompletionStage<Void> failed = device.writeStatus(UP);
        CompletionStage<Void> reset = device.writeStatus(0);
        main.poll(0);

        assertThat(failed.toCompletableFuture()).isCompletedExceptionally();
        assertThat(reset.toCompletableFuture()).isCompleted();
        assertThat(device.status()).isZero();
    }

    /** A device that cannot start, for a reason of its own. */
    private static final class FailingDevice extends VirtioDevice {
        FailingDevice(AioContext main) {
            super(new VirtioDeviceConfig("failing", main,
                    () -> RegionMap.builder().add(0, ByteBuffer.allocate(64)).build(),
                    new Interrupt() {
                        @Override
                        public void queue(int index) {
                            // Nobody listens.
                        }

                        @Override
                        public void config() {
                            // Nobody listens.
                        }
                    }, 1, 16));
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
            throw new IllegalStateException("cannot start");
        }

        @Override
        protected CompletionStage<Void> onReset() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onQueueStart(int index, SplitVirtqueue ring) {
            throw new IllegalStateException("cannot start");
        }

        @Override
        protected CompletionStage<Void> onQueueStop(int index) {
            return CompletableFuture.completedStage(null);
        }
    }
}
