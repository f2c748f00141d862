package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.IoVector;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.queue.Resumption;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written into the registers while a reset has not ended, and after the last one. */
class NextLifeTest {
    private static final int SENSE_SIZE = 20;
    private static final int UP = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER
            | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK;

    @ParameterizedTest
    @Rule("VSCSI-49")
    @Rule("VSCSI-50")
    @ValueSource(booleans = {true, false})
    void shouldServeADriverThatDoesNotWaitForItsReset(boolean storesOrdered) {
        try (ScsiMachine machine = machine(storesOrdered)) {
            machine.gates.get(0).shut();
            machine.gates.get(0).cancellable(false);
            machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> machine.gates.get(0).heldCount() == 1);
            GuestScsi next = new GuestScsi(new Impatient(machine.hba), machine.ram,
                    GuestScsiConfig.likeLinux(), machine.main.clock());

            CompletionStage<Boolean> up = next.begin();
            machine.hba.writeConfig(SENSE_SIZE, 4, 64);
            GuestCommand early = next.newCommand(null);
            early.cdb(0, 0, GuestCdb.testUnitReady());
            assertThat(next.submit(0, early)).isTrue();
            next.kick();
            machine.turn();
            assertThat(up.toCompletableFuture()).isNotDone();
            assertThat(machine.hba.isDriverOk()).as("the old life").isTrue();
            assertThat(machine.hba.isBroken()).isFalse();
            assertThat(early.isOutstanding()).isTrue();
            machine.gates.get(0).open();
            machine.await(up);
            machine.guest.await(next, () -> !early.isOutstanding(), ScsiMachine.LIMIT_NANOS);

            assertThat(up.toCompletableFuture().join()).isTrue();
            assertThat(machine.hba.readConfig(SENSE_SIZE, 4)).isEqualTo(64);
            assertThat(early.isOutstanding()).isFalse();
            machine.hba.writeConfig(SENSE_SIZE, 4, 96);
            try (GuestSession session = new GuestSession(next, machine.guest,
                    ScsiMachine.SESSION_BYTES, ScsiMachine.LIMIT_NANOS)) {
                session.read(0, 0, GuestCdb.read10(0, 8), 4096);
                assertThat(session.answer().isGood()).isTrue();
            }
        }
    }

    @Test
    @Rule("VSCSI-49")
    void shouldLeaveTheBusAloneOnceItIsClosed() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup ring = machine.hba.queue(VirtioScsi.CONTROL_QUEUE);
            machine.await(machine.hba.closeAsync());
            List<String> answers = new ArrayList<>();
            execute(machine, GuestCdb.testUnitReady(), answers); // Takes the unit attention.
            machine.turn();
            answers.clear();
            machine.gates.get(0).shut();
            execute(machine, GuestCdb.read10(0, 1), answers);
            machine.turn();

            machine.await(machine.hba.closeAsync());
            machine.await(machine.hba.writeStatus(0));
            machine.hba.writeDriverFeatures(1L << 32);
            machine.hba.writeQueue(VirtioScsi.CONTROL_QUEUE, ring);
            machine.await(machine.hba.writeStatus(UP));
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            CompletionStage<Void> single =
                    machine.hba.startQueue(VirtioScsi.CONTROL_QUEUE, ring, Resumption.at(0));
            machine.turn();

            assertThat(machine.hba.status()).isZero();
            assertThat(single.toCompletableFuture()).isCompletedExceptionally();
            assertThat(machine.gates.get(0).heldCount()).isEqualTo(1);
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.until(() -> !answers.isEmpty());
            assertThat(answers).containsExactly("GOOD");
        }
    }

    private static void execute(ScsiMachine machine, byte[] cdb, List<String> answers) {
        IoVector in = new IoVector();
        in.add(ByteBuffer.allocate(512), 0, 512);
        ScsiRequest request = new ScsiRequest(new HostAdapter() {
            @Override
            public void complete(ScsiRequest ended) {
                answers.add(ended.status().toString());
            }

            @Override
            public void cancelled(ScsiRequest ended) {
                answers.add(ended.cancelCause().toString());
            }
        });
        machine.disks.get(0).execute(
                request.prepare(machine.main, 1, cdb, cdb.length).withData(new IoVector(), in));
    }

    private static ScsiMachine machine(boolean storesOrdered) {
        GuestRam ram = GuestRam.builder().guestStoresOrdered(storesOrdered)
                .heap(1 << 20, 8 << 20).build();
        ScsiMachine machine = new ScsiMachine(1, 0, ram);
        machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                new ScsiAddress(0, 0));
        return machine.begun().settled();
    }

    /** The registers of a device, written by a driver that waits for nothing but the end. */
    private record Impatient(VirtioDevice device) implements GuestScsi.Transport {
        private static final int KNOWN = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;

        @Override
        public int queues() {
            return device.queues();
        }

        @Override
        public long offeredFeatures() {
            return device.offeredFeatures();
        }

        @Override
        public CompletionStage<Void> reset() {
            device.writeStatus(0);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<Boolean> negotiate(long features) {
            device.writeStatus(DeviceStatus.ACKNOWLEDGE);
            device.writeStatus(KNOWN);
            device.writeDriverFeatures(features);
            device.writeStatus(KNOWN | DeviceStatus.FEATURES_OK);
            return CompletableFuture.completedFuture(true);
        }

        @Override
        public CompletionStage<Boolean> run(List<QueueSetup> rings) {
            for (int i = 0; i < rings.size(); i++) {
                device.writeQueue(i, rings.get(i));
            }
            return device.writeStatus(UP)
                    .thenApply(nothing -> device.isDriverOk() && !device.isBroken());
        }

        @Override
        public void kick(int queue) {
            device.kickFromGuest(queue);
        }
    }
}
