package dev.quiesce.verification.ring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.DriverQueue;
import dev.quiesce.testkit.guest.DriverQueueConfig;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Driver and device on two threads, each asleep until the other's notification. */
class TwoThreadsRingTest {

    private static final int MESSAGES = 30_000;
    private static final long BASE = 0x1_4000_0000L;

    @ParameterizedTest
    @CsvSource({
        "4, false, false, false", "8, false, true, false", "64, true, false, false",
        "256, true, true, false", "4, true, true, true", "128, false, true, true"
    })
    @Rule("VQ-9")
    @Rule("VQ-22")
    @Rule("VQ-23")
    @Rule("VQ-26")
    @Rule("VQ-27")
    @Rule("VQ-28")
    @Rule("LQO-T04")
    @Rule("LQO-T05")
    void shouldLoseNoMessageAndNoNotification(
            int size, boolean indirect, boolean eventIdx, boolean heap) throws Exception {
        long seed = new Random().nextLong();
        GuestRam ram = heap ? GuestRam.heap(BASE, 1 << 20) : GuestRam.direct(BASE, 1 << 20);
        DriverQueue queue =
                new DriverQueue(ram, new DriverQueueConfig(size, indirect, eventIdx));
        Semaphore kicks = new Semaphore(0);
        Semaphore interrupts = new Semaphore(0);
        RingDevice device = new RingDevice(new SplitVirtqueue(config(queue), ram), kicks,
                interrupts, new Random(seed), MESSAGES);
        AtomicReference<Throwable> broken = new AtomicReference<>();
        Thread thread = new Thread(device, "device");
        thread.setUncaughtExceptionHandler((t, failure) -> {
            broken.set(failure);
            interrupts.release(1000);
        });

        thread.start();
        try {
            new RingDriver(ram, queue, kicks, interrupts, new Random(seed + 1))
                    .send(MESSAGES, () -> broken.get() != null);
        } catch (AssertionError failure) {
            failure.addSuppressed(new AssertionError("seed " + seed, broken.get()));
            throw failure;
        } finally {
            thread.interrupt();
            thread.join(TimeUnit.SECONDS.toMillis(RingDevice.LOST_AFTER_SECONDS));
        }

        assertThat(broken.get()).as("seed %s", seed).isNull();
        assertThat(device.inFlight()).isZero();
        assertThat(queue.outstanding()).isZero();
        assertThat(queue.freeDescriptors()).isEqualTo(size);
    }

    private static QueueConfig config(DriverQueue queue) {
        DriverQueueConfig config = queue.config();
        long features = (config.indirect() ? QueueConfig.INDIRECT_DESC : 0)
                | (config.eventIdx() ? QueueConfig.EVENT_IDX : 0);
        return new QueueConfig(config.size(), queue.descriptorAddress(), queue.availAddress(),
                queue.usedAddress(), features);
    }
}
