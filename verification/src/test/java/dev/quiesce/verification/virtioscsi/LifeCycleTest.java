package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestEvent;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LifeCycleTest {
    private static final int BAD_TARGET = 3;
    private static final int NO_FUNCTION = 99;
    private static final int QUEUES = 4;
    private static final int IN_FLIGHT = 256;

    @Test
    @Rule("DP-45")
    @Rule("DP-31")
    @Rule("DP-14")
    @Rule("SBUG-56")
    @Rule("SCHED-37")
    void shouldServeAKickThatCameBeforeTheDataplaneStarted() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.driverUp();
            GuestCommand early = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.turn();
            assertThat(early.isOutstanding()).isTrue();

            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            machine.until(() -> !early.isOutstanding());

            assertThat(early.response()).isEqualTo(GuestCommand.RESPONSE_OK);
        }
    }

    @Test
    @Rule("DP-3")
    void shouldRefuseAMappingThatLeavesAQueueToNobody() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 3, 0)) {
            QueueMapping two = new QueueMapping.Fixed(List.of(machine.main, machine.main));

            assertThatThrownBy(() -> machine.hba.startDataplane(two))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("3 request queues", "request queue 2");
            GuestSession.begin(machine.driver, machine.guest, ScsiMachine.LIMIT_NANOS);

            assertThat(machine.hba.isDriverOk()).isTrue();
        }
    }

    @Test
    @Rule("DP-2")
    void shouldServeControlAndEventsOnMainAndRequestsWhereTheyAreMapped() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            AioContext other = machine.others.get(0);
            machine.begunIn(other).settled();
            List<Integer> answers = new ArrayList<>();
            List<GuestEvent> events = new ArrayList<>();

            GuestCommand request = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.driver.taskManagement(NO_FUNCTION, 0, 0, 0, answers::add);
            machine.bus.plug(machine.newDisk(new MemoryDriver(1 << 20)), new ScsiAddress(1, 0));
            machine.untilWithout(other, () -> !answers.isEmpty() && heard(machine, events));
            assertThat(request.isOutstanding()).as("main does not serve requests").isTrue();
            machine.driver.taskManagement(NO_FUNCTION, 0, 0, 0, answers::add);
            while (request.isOutstanding()) {
                assertThat(other.poll(0)).isTrue();
                machine.driver.poll();
            }
            other.poll(0);
            machine.driver.poll();

            assertThat(answers).as("no other context serves control").hasSize(1);
            machine.until(() -> answers.size() == 2);
            machine.await(machine.bus.unplug(new ScsiAddress(1, 0)));
        }
    }

    @Test
    @Rule("SCHED-12")
    void shouldServeAfterASectionWhatWasKickedInItAndNeverAgain() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            machine.begunIn(machine.others.get(0)).settled();
            List<GuestCommand> during = new ArrayList<>();
            try (DrainedSection section = machine.drain(0)) {
                for (int i = 0; i < 3; i++) {
                    during.add(machine.submit(0, 0, GuestCdb.read10(i, 1), 512));
                }
                machine.turn();
                assertThat(during).allMatch(GuestCommand::isOutstanding);
            }

            machine.until(() -> during.stream().noneMatch(GuestCommand::isOutstanding));

            assertThat(during).allMatch(GuestCommand::isGood);
        }
    }

    @Test
    @Rule("SCHED-21")
    @Rule("VSCSI-50")
    @Rule("VSCSI-54")
    void shouldPushEveryAnswerBeforeAResetEndsAndNoneAfterIt() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, QUEUES, QUEUES)) {
            machine.hba.startDataplane(new QueueMapping.Fixed(machine.others));
            machine.driverUp().settled();
            machine.gates.get(0).shut();
            machine.gates.get(1).shut();
            machine.gates.get(1).cancellable(false);
            int[] usedBefore = usedIndices(machine);
            long[] rings = ringAddresses(machine);
            for (int i = 0; i < IN_FLIGHT; i++) {
                machine.submit(i % QUEUES, i / QUEUES % 2, GuestCdb.read10(i, 1), 512);
            }
            machine.until(() -> machine.gates.get(0).heldCount() == IN_FLIGHT / 2
                    && machine.gates.get(1).heldCount() == IN_FLIGHT / 2);

            CompletionStage<Void> reset = machine.driver.reset();
            machine.turn();
            assertThat(reset.toCompletableFuture()).as("one disk cannot cancel").isNotDone();
            machine.gates.get(1).open();
            machine.await(reset);
            byte[] memory = machine.ram.read(1 << 20, 8 << 20);
            long interrupts = machine.interrupts.raised();
            machine.turn();

            for (int i = 0; i < QUEUES; i++) {
                int pushed = machine.ram.whole().load16(rings[i] + 2) - usedBefore[i] & 0xFFFF;
                assertThat(pushed).as("queue %d", i).isEqualTo(IN_FLIGHT / QUEUES);
            }
            assertThat(machine.ram.read(1 << 20, 8 << 20)).isEqualTo(memory);
            assertThat(machine.interrupts.raised()).isEqualTo(interrupts);
            assertThat(machine.disks).allMatch(disk -> disk.listedRequests() == 0);
            machine.driver.forget();
        }
    }

    @Test
    @Rule("VSCSI-49")
    @Rule("VSCSI-50")
    @Rule("VSCSI-54")
    @Rule("MAL-24")
    @Rule("DP-25")
    @Rule("DP-37")
    @Rule("SBUG-45")
    void shouldSettleEverythingBeforeAResetEnds() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.readThatHangsDeaf(0);

            CompletionStage<Void> reset = machine.driver.reset();
            machine.turn();
            assertThat(reset.toCompletableFuture()).isNotDone();
            assertThat(machine.hba.status()).isNotZero();
            machine.gates.get(0).open();
            machine.await(reset);
            long interrupts = machine.interrupts.raised();
            machine.turn();

            assertThat(machine.hba.status()).isZero();
            assertThat(machine.interrupts.raised()).isEqualTo(interrupts);
            assertThat(machine.disks.get(0).listedRequests()).isZero();
            machine.driver.forget();
            machine.driverUp();
            GuestCommand again = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(() -> !again.isOutstanding());
            assertThat(again.response()).isEqualTo(GuestCommand.RESPONSE_OK);
        }
    }

    @Test
    @Rule("DP-29")
    @Rule("DP-12")
    @Rule("DP-20")
    @Rule("DP-23")
    @Rule("SBUG-5")
    @Rule("SBUG-10")
    @Rule("SCHED-9")
    @Rule("SCHED-10")
    void shouldStartAndStopInEveryOrderWithASection() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.driverUp();

            DrainedSection aroundStart = machine.drain(0);
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            aroundStart.close();
            answersReads(machine);

            DrainedSection beforeStop = machine.drain(0);
            machine.await(machine.hba.stopDataplane());
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            beforeStop.close();
            answersReads(machine);

            DrainedSection overStop = machine.drain(0);
            GuestCommand parked = machine.readThatParks(0);
            CompletionStage<Void> stop = machine.hba.stopDataplane();
            machine.turn();
            assertThat(stop.toCompletableFuture()).isNotDone();
            overStop.close();
            machine.await(stop);
            machine.until(() -> !parked.isOutstanding());
            assertThat(parked.isGood()).isTrue();
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            answersReads(machine);
        }
    }

    @Test
    @Rule("VSCSI-45")
    @Rule("VSCSI-46")
    @Rule("PURGE-14")
    @Rule("PURGE-15")
    @Rule("VSCSI-39")
    void shouldTellTheGuestOfDisksThatComeAndGo() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                    new ScsiAddress(0, 300));
            machine.turn();
            GuestEvent come = machine.driver.nextEvent();
            machine.gates.get(1).shut();
            machine.await(machine.bus.unplug(new ScsiAddress(0, 300)));
            machine.turn();
            GuestEvent gone = machine.driver.nextEvent();

            assertThat(come).isEqualTo(new GuestEvent(
                    GuestEvent.TRANSPORT_RESET, false, 0, 300, GuestEvent.REASON_RESCAN));
            assertThat(gone).isEqualTo(new GuestEvent(
                    GuestEvent.TRANSPORT_RESET, false, 0, 300, GuestEvent.REASON_REMOVED));
        }
    }

    @Test
    @Rule("PURGE-2")
    @Rule("SCSI-7")
    @Rule("DP-41")
    void shouldCancelWhatIsInFlightWhenADiskIsUnplugged() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2).begun().settled()) {
            GuestCommand hung = machine.readThatHangs(1);

            machine.await(machine.bus.unplug(new ScsiAddress(1, 0)));
            machine.until(() -> !hung.isOutstanding());
            GuestCommand late = machine.submit(0, 1, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !late.isOutstanding());

            assertThat(hung.response()).isEqualTo(BAD_TARGET);
            assertThat(late.response()).isEqualTo(BAD_TARGET);
            assertThat(machine.bus.removalsWithRequestsListed()).isEqualTo(1);
        }
    }

    @Test
    @Rule("PURGE-14")
    void shouldUnplugOnlyWhenAResetThatOverlapsHasEndedToo() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            ScsiAddress address = new ScsiAddress(0, 0);
            machine.readThatHangsDeaf(0);

            CompletionStage<Void> replugged = machine.bus.unplug(address)
                    .thenCompose(gone -> machine.bus.plug(machine.disks.get(0), address));
            CompletionStage<Void> reset = machine.disks.get(0).resetAsync();
            machine.turn();
            machine.gates.get(0).open();
            machine.await(reset);
            machine.await(replugged);

            assertThat(machine.disks.get(0).address()).isEqualTo(address);
            answersReads(machine);
        }
    }

    @Test
    @Rule("BB-44")
    @Rule("DP-8")
    void shouldHandAQueueOverToWhereItsDiskMoved() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp();
            machine.settled();
            GuestCommand before = machine.readThatHangs(0);

            CompletionStage<Void> move =
                    machine.disks.get(0).backend().setContextAsync(machine.others.get(0));
            machine.turn();
            assertThat(move.toCompletableFuture()).isNotDone();
            machine.gates.get(0).open();
            machine.await(move);
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);
            GuestCommand after = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !after.isOutstanding());

            assertThat(before.isGood()).isTrue();
            assertThat(after.isGood()).isTrue();
            assertThat(machine.disks.get(0).backend().context()).isSameAs(machine.others.get(0));
            machine.await(machine.disks.get(0).backend().setContextAsync(machine.main));
            machine.until(() -> machine.hba.dataplane().rehomes() == 2);
        }
    }

    @Test
    @Rule("DP-29")
    void shouldKeepServingOtherDisksWhileAHandOverMeetsAHeldSection() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 1, 1)) {
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp();
            machine.settled();
            DrainedSection held = machine.drain(1);
            GuestCommand parked = machine.readThatParks(1);

            machine.await(machine.disks.get(0).backend().setContextAsync(machine.others.get(0)));
            GuestCommand other = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !other.isOutstanding());
            assertThat(parked.isOutstanding()).isTrue();
            held.close();
            machine.until(() -> !parked.isOutstanding());

            assertThat(other.isGood()).isTrue();
            assertThat(parked.isGood()).isTrue();
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);
            machine.await(machine.disks.get(0).backend().setContextAsync(machine.main));
        }
    }

    /** The sections of the bus: one, two while the new disk moves, one again. */
    @Test
    @Rule("DP-39")
    void shouldPlugAndMoveADiskWhileAnotherOneIsInsideASection() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp().settled();
            DrainedSection section = machine.drain(0);
            GuestCommand parked = machine.readThatParks(0);

            machine.plug(machine.newDisk(new MemoryDriver(1 << 20)), new ScsiAddress(0, 1));
            machine.await(machine.disks.get(1).backend().setContextAsync(machine.others.get(0)));
            machine.await(machine.disks.get(0).backend().setContextAsync(machine.others.get(0)));
            machine.turn();
            assertThat(parked.isOutstanding()).isTrue();
            assertThat(machine.hba.dataplane().handOversGivenUp()).as("none began").isZero();
            section.close();
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);

            assertThat(parked.isGood()).isTrue();
            try (GuestSession session = machine.session()) {
                session.execute(0, 1, GuestCdb.testUnitReady());
                assertThat(session.read(0, 1, GuestCdb.read10(0, 1), 512)).hasSize(512);
            }
            answersReads(machine);
        }
    }

    @Test
    @Rule("VSCSI-14")
    @Rule("MAL-11")
    void shouldBreakOnlyTheDeviceWhoseMemoryVanishes() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.ram.replaceMap(
                    RegionMap.builder().add(0, ByteBuffer.allocateDirect(64)).build());

            machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(machine.hba::isBroken);

            assertThat(machine.hba.status() & DeviceStatus.NEEDS_RESET).isNotZero();
            assertThat(machine.interrupts.configChanges()).isEqualTo(1);
            machine.ram.replaceMap(machine.ram.whole());
            machine.await(machine.driver.reset());
            machine.driver.forget();
            machine.driverUp();
            answersReads(machine);
        }
    }

    @Test
    void shouldWorkOnGuestMemoryOnTheHeap() {
        ScsiMachine machine = new ScsiMachine(1, 0, GuestRam.heap(1 << 20, 4 << 20));
        try (machine) {
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                    new ScsiAddress(0, 0));
            machine.begun();

            answersReads(machine);
        }
    }

    private static void answersReads(ScsiMachine machine) {
        try (GuestSession session = machine.session()) {
            byte[] read = session.read(0, 0, GuestCdb.read10(0, 8), 4096);
            assertThat(session.answer().isGood()).isTrue();
            assertThat(read).hasSize(4096);
        }
    }

    private static boolean heard(ScsiMachine machine, List<GuestEvent> events) {
        GuestEvent event = machine.driver.nextEvent();
        if (event != null) {
            events.add(event);
        }
        return !events.isEmpty();
    }

    private static long[] ringAddresses(ScsiMachine machine) {
        return IntStream.range(0, QUEUES).mapToLong(i -> machine.hba
                .queue(VirtioScsi.FIRST_REQUEST_QUEUE + i).usedAddress()).toArray();
    }

    private static int[] usedIndices(ScsiMachine machine) {
        return LongStream.of(ringAddresses(machine))
                .mapToInt(ring -> machine.ram.whole().load16(ring + 2)).toArray();
    }
}
