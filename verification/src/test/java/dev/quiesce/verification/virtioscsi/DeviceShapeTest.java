package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import org.junit.jupiter.api.Test;

/** What a driver finds before it has sent a command. */
class DeviceShapeTest {
    private static final int NUM_QUEUES = 0;
    private static final long INDIRECT = 1L << 28;
    private static final long EVENT_IDX = 1L << 29;
    private static final long VERSION_1 = 1L << 32;
    private static final long HOTPLUG = 1L << 1;
    private static final long CHANGE = 1L << 2;

    @Test
    @Rule("VSCSI-1")
    void shouldHaveAControlAnEventAndTheRequestQueues() {
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            for (int requestQueues : new int[] {1, 4, 1022}) {
                VirtioScsi device = create(machine, VirtioScsiConfig.of("shape", requestQueues));

                assertThat(device.queues()).isEqualTo(2 + requestQueues);
                assertThat(device.readConfig(NUM_QUEUES, Integer.BYTES)).isEqualTo(requestQueues);
                assertThat(device.queueSizeMax()).isEqualTo(256);
                machine.await(device.closeAsync());
            }
        }
        assertThat(VirtioScsi.CONTROL_QUEUE).isZero();
        assertThat(VirtioScsi.EVENT_QUEUE).isEqualTo(1);
        assertThat(VirtioScsi.FIRST_REQUEST_QUEUE).isEqualTo(2);
    }

    @Test
    @Rule("VSCSI-1")
    void shouldRefuseNumbersOfQueuesAndSizesThatAreOutOfRange() {
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            for (int requestQueues : new int[] {-1, 0, 1023}) {
                refuses(machine, requestQueues, 256, requestQueues);
            }
            for (int queueSize : new int[] {0, 1, 2, 24, 65_536}) {
                refuses(machine, 1, queueSize, queueSize);
            }
        }
    }

    @Test
    @Rule("VSCSI-2")
    void shouldOfferWhatItImplementsAndNothingElse() {
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            for (long events : new long[] {0, HOTPLUG, CHANGE, HOTPLUG | CHANGE}) {
                VirtioScsi device = create(machine, new VirtioScsiConfig("shape", 1, 256,
                        (events & HOTPLUG) != 0, (events & CHANGE) != 0));

                assertThat(device.offeredFeatures())
                        .isEqualTo(VERSION_1 | INDIRECT | EVENT_IDX | events);
                machine.await(device.closeAsync());
            }
        }
    }

    @Test
    @Rule("VSCSI-2")
    void shouldAnnounceDisksAndChangesUnlessToldOtherwise() {
        VirtioScsiConfig config = VirtioScsiConfig.of("shape", 1);

        assertThat(config.hotplug()).isTrue();
        assertThat(config.change()).isTrue();
    }

    private static void refuses(
            ScsiMachine machine, int requestQueues, int queueSize, int named) {
        assertThatThrownBy(() -> create(machine,
                new VirtioScsiConfig("shape", requestQueues, queueSize, true, true)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is " + named);
    }

    private static VirtioScsi create(ScsiMachine machine, VirtioScsiConfig config) {
        return VirtioScsi.create(config, machine.bus, machine.ram, machine.interrupts);
    }
}
