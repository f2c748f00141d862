package dev.quiesce.testkit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.virtio.device.QueueSetup;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What the driver makes of a device that does nothing, or something that no device may do. */
class GuestScsiTest {
    private static final int REQUESTS = 2;

    private final GuestRam ram = GuestRam.direct(0x10_0000, 1 << 20);
    private final IdleDevice device = new IdleDevice();
    private final GuestScsi driver =
            new GuestScsi(device, ram, GuestScsiConfig.likeLinux(), Clock.system());

    @Test
    void shouldSayOnWhichQueueTheDeviceBrokeARule() {
        driver.begin();

        device.use(REQUESTS + 1, 99);
        driver.poll();

        assertThat(driver.ledger().complaints()).singleElement().asString()
                .startsWith("queue 3: ");
    }

    @Test
    void shouldNotBookAsAnsweredWhatAResetHasEnded() {
        driver.begin();
        GuestCommand command = driver.newCommand(null);
        command.cdb(0, 0, GuestCdb.testUnitReady());
        assertThat(driver.submit(1, command)).isTrue();

        driver.forget();

        assertThat(command.isOutstanding()).isFalse();
        assertThat(driver.ledger().answered()).isZero();
        assertThat(driver.ledger().openTags()).isZero();
        assertThat(driver.ledger().complaints()).isEmpty();
    }

    @Test
    void shouldComplainOfALateCommandAsItWasWhenItWasSubmitted() {
        driver.begin();
        GuestCommand command = driver.newCommand(null);
        command.cdb(0, 0, GuestCdb.testUnitReady());
        assertThat(driver.submit(1, command)).isTrue();
        String submitted = command.toString();

        driver.forget();
        command.cdb(7, 7, GuestCdb.read10(0, 1));
        driver.begin();
        assertThat(driver.submit(0, command)).isTrue();
        command.notSubmitted();

        driver.ledger().findLate(Long.MAX_VALUE / 2 + System.nanoTime(), 0);
        assertThat(submitted).contains("to 0:0 on queue 1 outstanding");
        assertThat(driver.ledger().complaints()).singleElement().asString()
                .contains("to 7:7 on queue 0 outstanding");
    }

    /** Accepts everything and does nothing by itself. */
    private final class IdleDevice implements GuestScsi.Transport {
        private List<QueueSetup> rings = List.of();

        @Override
        public int queues() {
            return REQUESTS + 2;
        }

        @Override
        public long offeredFeatures() {
            return 1L << 32;
        }

        @Override
        public CompletionStage<Void> reset() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<Boolean> negotiate(long features) {
            return CompletableFuture.completedStage(true);
        }

        @Override
        public CompletionStage<Boolean> run(List<QueueSetup> given) {
            rings = given;
            return CompletableFuture.completedStage(true);
        }

        @Override
        public void kick(int queue) {
            // It does nothing.
        }

        /** Gives a chain back that it never had: a used element, then the index. */
        void use(int queue, int id) {
            long used = rings.get(queue).usedAddress();
            ram.write(used + 4, new byte[] {(byte) id, 0, 0, 0});
            ram.write(used + 2, new byte[] {1, 0});
        }
    }
}
