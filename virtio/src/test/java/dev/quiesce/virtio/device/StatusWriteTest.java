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

    private static final QueueSetup RING = new QueueSetup(16, 0, 16, 32, true);

    private final AioContext main = new AioContext("main", LoopSeams.system());
    private final Lease lease = main.acquire();
    private final FailingDevice device = new FailingDevice(main);

    @AfterEach
    void leave() {
        lease.close();
    }

    @Test
    void shouldShowAWriteOnceMainHasMadeItAndNotToACallbackThatPolls() {
        int features = UP & ~DeviceStatus.DRIVER_OK;
        int[] inside = new int[1];
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        main.execute(() -> {
            device.writeStatus(features);
            main.poll(0);
            inside[0] = device.status();
        });
        main.poll(0);
        assertThat(inside[0]).as("in a callback of main").isZero();
        assertThat(device.status()).isEqualTo(features);

        CompletionStage<Void> written = device.writeStatus(0);
        assertThat(device.status()).as("before main has run").isEqualTo(features);
        main.poll(0);

        assertThat(written.toCompletableFuture()).isCompleted();
        assertThat(device.status()).isZero();
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

    @Test
    @Rule("MAL-20")
    @Rule("MAL-19")
    void shouldJudgeAWriteByTheRegistersOfItsMoment() {
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        device.writeStatus(UP & ~DeviceStatus.DRIVER_OK);
        device.writeDriverFeatures(1); // Never offered: too late.
        main.poll(0);
        assertThat(device.negotiatedFeatures()).isEqualTo(VirtioFeatures.VERSION_1);

        device.writeQueue(0, RING);
        device.writeStatus(UP);
        device.writeQueue(0, QueueSetup.ABSENT); // Too late as well.

        assertThat(device.queue(0)).isEqualTo(RING);
    }

    @Test
    @Rule("VSCSI-49")
    @Rule("SBUG-55")
    @Rule("SBUG-69")
    void shouldCountWritesAfterAResetToTheNextLife() {
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        device.writeQueue(0, RING);
        device.writeStatus(0);
        assertThat(device.queue(0)).isEqualTo(QueueSetup.ABSENT);
        device.writeStatus(UP & ~DeviceStatus.DRIVER_OK);
        main.poll(0);
        assertThat(device.status()).as("without features").isEqualTo(
                DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER);

        device.writeStatus(UP | DeviceStatus.NEEDS_RESET);
        main.poll(0);

        assertThat(device.status()).isEqualTo(DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER);
    }

    @Test
    @Rule("VSCSI-49")
    void shouldNotRunOnWhatAFailedResetLeft() {
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        device.writeStatus(UP);
        device.resets = CompletableFuture.failedStage(new IllegalStateException("no reset"));

        CompletionStage<Void> failed = device.writeStatus(0);
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        CompletionStage<Void> next = device.writeStatus(UP);
        main.poll(0);
        assertThat(failed.toCompletableFuture()).isCompletedExceptionally();
        assertThat(next.toCompletableFuture()).isCompletedExceptionally();
        assertThat(device.starts).isEqualTo(1);
        device.resets = CompletableFuture.completedStage(null);
        device.writeStatus(0);
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        device.writeStatus(UP);
        main.poll(0);

        assertThat(device.starts).isEqualTo(2);
    }

    @Test
    @Rule("VSCSI-49")
    void shouldCloseOnceAndThenIgnoreWhatIsWritten() {
        CompletionStage<Void> first = device.close();
        CompletionStage<Void> second = device.close();
        device.writeDriverFeatures(VirtioFeatures.VERSION_1);
        CompletionStage<Void> ignored = device.writeStatus(UP);
        main.poll(0);

        assertThat(first.toCompletableFuture()).isCompleted();
        assertThat(second.toCompletableFuture()).isCompleted();
        assertThat(ignored.toCompletableFuture()).isCompletedWithValue(null);
        assertThat(device.closes).isEqualTo(1);
        assertThat(device.starts).isZero();
        assertThat(device.status()).isZero();
    }

    /** A device that cannot start, for a reason of its own. */
    private static final class FailingDevice extends VirtioDevice {
        CompletionStage<Void> resets = CompletableFuture.completedStage(null);
        int starts;
        int closes;

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
        protected void onClosed() {
            closes++;
        }

        @Override
        protected CompletionStage<Void> onDriverOk() {
            starts++;
            throw new IllegalStateException("cannot start");
        }

        @Override
        protected CompletionStage<Void> onReset() {
            return resets;
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
