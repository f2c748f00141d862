package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestEvent;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Whole sessions of a front end that keeps the rules. */
class SessionTest extends ServedSocket {
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;


    @Override
    Host newHost() throws Exception {
        return new Host(socket, 2);
    }

    @Test
    @Rule("VHU-10")
    @Rule("VHU-38")
    @Rule("VHU-T14")
    void shouldReadBackWhatTheGuestWrote() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            byte[] data = new byte[64 << 10];
            new Random(1).nextBytes(data);

            assertThat(session.write(0, 0, GuestCdb.write10(8, 128, false), data).isGood())
                    .isTrue();

            assertThat(session.read(0, 0, GuestCdb.read10(8, 128), data.length)).isEqualTo(data);
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VHU-40")
    @Rule("VHU-48")
    @Rule("VHU-51")
    void shouldServeTheFirmwareOnOneQueueAndThenTheKernelOnAll() throws Exception {
        try (Machine machine = new Machine(socket, new GuestScsiConfig(128, false, false, 0))) {
            machine.onlyQueue = REQUESTS;
            GuestSession.begin(machine.driver, machine.guest, Machine.LIMIT_NANOS);
            try (GuestSession firmware = machine.session()) {
                assertThat(firmware.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            }
            Host.await(machine.driver.reset());
            machine.driver.forget();
            machine.onlyQueue = -1;

            GuestScsi kernel = new GuestScsi(machine, machine.shared.ram,
                    GuestScsiConfig.likeLinux(), machine.driver.clock());
            GuestSession.begin(kernel, machine.guest, Machine.LIMIT_NANOS);

            try (GuestSession session =
                    new GuestSession(kernel, machine.guest, 4096, Machine.LIMIT_NANOS)) {
                assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            }
        }
    }

    @Test
    @Rule("VHU-17")
    @Rule("VHU-22")
    void shouldSettleARingBeforeItTellsWhereItStands() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            GuestCommand held = holdOneRead(machine);
            CompletableFuture<Integer> base = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(() -> machine.stop(REQUESTS)));

            assertThat(host.onMain(base::isDone)).isFalse();
            host.gate.open();
            int stoppedAt = Host.await(base);
            machine.driver.poll();
            machine.frontEnd.settle();

            assertThat(held.isGood()).isTrue();
            assertThat(stoppedAt).isPositive();
            assertThat(running(REQUESTS)).isFalse();
        }
    }

    @Test
    @Rule("VHU-18")
    @Rule("VHU-50")
    void shouldSettleARingThatIsOnlyDisabledAndGoOnFromThere() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            GuestCommand held = holdOneRead(machine);
            CompletableFuture<Long> disabled = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(() -> machine.frontEnd.acknowledged(
                            18, Machine.state(REQUESTS, 0)::encode)));

            assertThat(host.onMain(disabled::isDone)).isFalse();
            host.gate.open();
            assertThat(Host.await(disabled)).isZero();
            machine.driver.poll();
            assertThat(held.isGood()).isTrue();

            machine.enable(REQUESTS, 1);
            assertThat(read(machine).isGood()).isTrue();
        }
    }

    @Test
    @Rule("VHU-16")
    @Rule("VHU-T01")
    void shouldServeAKickThatCameWhileTheRingWasDisabled() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine); // takes the unit attention of the power-on
            machine.enable(REQUESTS, 0);
            GuestCommand early = submitRead(machine);
            machine.frontEnd.settle();
            assertThat(early.isOutstanding()).isTrue();

            machine.enable(REQUESTS, 1);

            until(machine, early);
            assertThat(early.isGood()).isTrue();
        }
    }

    @Test
    @Rule("VHU-20")
    @Rule("SBUG-54")
    @Rule("SCHED-40")
    void shouldSignalANewCallDescriptorAtOnce() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire call = Wire.ofPipe()) {
            machine.frontEnd.send(13, payload -> payload.putLong(REQUESTS), call.writeEnd());

            assertThat(call.await()).isTrue();
        }
    }

    @Test
    @Rule("VHU-11")
    @Rule("VHU-43")
    void shouldChangeTheMemoryUnderRunningRings() throws Exception {
        try (Machine machine = Machine.booted(socket); SharedRam more = new SharedRam(1 << 20)) {
            GuestCommand held = holdOneRead(machine);
            Payload.Region added = new Payload.Region(1L << 32, 1 << 20, 1L << 32, 0);
            CompletableFuture<Long> granted = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(() -> machine.frontEnd.acknowledged(37, payload -> {
                        payload.putLong(0);
                        added.encode(payload);
                    }, more.descriptor())));
            assertThat(host.onMain(granted::isDone)).isFalse();

            host.gate.open();
            assertThat(Host.await(granted)).isZero();

            until(machine, held);
            assertThat(read(machine).isGood()).isTrue();
            machine.frontEnd.settle();
            assertThat(frontEnd().regions()).isEqualTo(2);
            assertThat(machine.frontEnd.acknowledged(38, payload -> {
                payload.putLong(0);
                added.encode(payload);
            })).isZero();
            assertThat(read(machine).isGood()).isTrue();
            machine.frontEnd.settle();
            assertThat(frontEnd().memoryBytes()).isEqualTo(8 << 20);
        }
    }

    /** As when a slot of the guest's memory is made larger: out, and in again. */
    @Test
    @Rule("VHU-11")
    @Rule("VHU-43")
    void shouldLetRingsWaitWhileTheirMemoryIsAway() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine);
            Consumer<ByteBuffer> slot = payload -> {
                payload.putLong(0);
                machine.shared.region().encode(payload);
            };

            assertThat(machine.frontEnd.acknowledged(38, slot)).isZero();
            assertThat(frontEnd().queues()).noneMatch(VhostUserStatus.Queue::isRunning);
            machine.frontEnd.settle(); // nothing else fails meanwhile
            machine.enable(REQUESTS, 1);
            assertThat(machine.frontEnd.acknowledged(
                    37, slot, machine.shared.descriptor())).isZero();

            assertThat(frontEnd().queues()).allMatch(VhostUserStatus.Queue::isRunning);
            assertThat(read(machine).isGood()).isTrue();
        }
    }

    /** Refused means: it does not run; and that is no reason to refuse what comes next. */
    @Test
    @Rule("VHU-10")
    void shouldRefuseARingOutsideOfTheMemoryOnceAndRunTheOthers() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            FrontEnd frontEnd = machine.frontEnd;
            machine.stop(REQUESTS);
            machine.stop(REQUESTS + 1);
            QueueSetup away = machine.lastRings().get(REQUESTS);
            machine.describe(REQUESTS, new QueueSetup(away.sizeEntries(), 1L << 44, 1L << 44,
                    1L << 44, true));
            machine.frontEnd.settle();

            try (Wire kick = Wire.ofSockets(); Wire other = Wire.ofSockets()) {
                assertThat(frontEnd.acknowledged(12,
                        payload -> payload.putLong(REQUESTS), kick.readEnd())).isOne();
                assertThat(frontEnd.acknowledged(12,
                        payload -> payload.putLong(REQUESTS + 1), other.readEnd())).isZero();
                assertThat(running(REQUESTS)).isFalse();
                assertThat(running(REQUESTS + 1)).isTrue();

                machine.describe(REQUESTS, away);
                machine.frontEnd.settle();
                assertThat(running(REQUESTS)).isTrue();
            }
        }
    }

    @Test
    @Rule("VHU-17")
    void shouldHoldNoDescriptorOfARingThatIsStopped() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine);
            for (int queue = 0; queue < machine.queues(); queue++) {
                assertThat(machine.passed(queue)).doesNotContain(0L);

                machine.stop(queue);

                assertThat(machine.passed(queue)).containsExactly(0L, 0L);
            }
        }
    }

    /** Whoever has the answer may ask the server at once. */
    @Test
    void shouldShowWhatItHasAnswered() throws Exception {
        try (Machine machine = Machine.booted(socket); SharedRam more = new SharedRam(1 << 20)) {
            Payload.Region added = new Payload.Region(1L << 32, 1 << 20, 1L << 32, 0);
            Consumer<ByteBuffer> slot = payload -> {
                payload.putLong(0);
                added.encode(payload);
            };
            for (int i = 0; i < 50; i++) {
                assertThat(machine.frontEnd.acknowledged(37, slot, more.descriptor())).isZero();
                assertThat(frontEnd().regions()).isEqualTo(2);
                assertThat(machine.frontEnd.acknowledged(38, slot)).isZero();
                assertThat(frontEnd().regions()).isOne();
            }
        }
    }

    @Test
    @Rule("VHU-20")
    void shouldRefuseToReconfigureARingThatRuns() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            FrontEnd frontEnd = machine.frontEnd;

            assertThat(frontEnd.acknowledged(8, Machine.state(REQUESTS, 64)::encode)).isOne();
            assertThat(frontEnd.acknowledged(10, Machine.state(REQUESTS, 5)::encode)).isOne();
            assertThat(frontEnd.acknowledged(9, new Payload.VringAddress(
                    REQUESTS, 0, 0, 0, 0, 0)::encode)).isOne();

            assertThat(read(machine).isGood()).isTrue();
        }
    }

    @Test
    @Rule("VHU-40")
    void shouldKeepWhatTheGuestHasSetUpOverAPause() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine);
            machine.pause();
            assertThat(machine.base(REQUESTS)).isPositive();
            GuestCommand meanwhile = submitRead(machine);

            machine.frontEnd.send(2, payload -> payload.putLong(frontEnd().features()));
            machine.start(machine.lastRings());

            until(machine, meanwhile);
            assertThat(meanwhile.isGood()).isTrue(); // no unit attention: it was not reset
        }
    }

    @Test
    @Rule("VHU-23")
    void shouldSignalTheErrorDescriptorWhenTheGuestBreaksARing() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire error = Wire.ofSockets()) {
            machine.frontEnd.send(14, payload -> payload.putLong(REQUESTS), error.writeEnd());
            machine.frontEnd.settle();

            machine.shared.ram.write(
                    machine.lastRings().get(REQUESTS).availAddress() + 2, new byte[] {-1, -1});
            machine.kick(REQUESTS);

            assertThat(error.await()).isTrue();
            machine.frontEnd.settle();
            assertThat(host.server.device().isBroken()).isTrue();
            Host.await(machine.driver.reset());
            machine.driver.forget();
            GuestSession.begin(machine.driver, machine.guest, Machine.LIMIT_NANOS);
            assertThat(host.server.device().isBroken()).isFalse();
            assertThat(read(machine).isGood()).isTrue();
        }
    }

    @Test
    @Rule("VHU-14")
    @Rule("MAL-17")
    void shouldSurviveMemoryThatIsTruncatedUnderIt() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire error = Wire.ofSockets()) {
            machine.frontEnd.send(14, payload -> payload.putLong(REQUESTS), error.writeEnd());
            machine.frontEnd.settle();

            machine.shared.truncate();
            machine.kick(REQUESTS);

            assertThat(error.await()).isTrue();
            assertThat(host.server.device().isBroken()).isTrue();
        }
        assertServesTheNext();
    }

    @Test
    @Rule("VHU-45")
    void shouldServeTheNextFrontEndAfterOneLeftWithCommandsInFlight() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            holdOneRead(machine);
        }
        host.gate.open();

        assertServesTheNext();
    }

    @Test
    @Rule("VHU-45")
    void shouldCancelWhatIsParkedWhenAFrontEndLeaves() throws Exception {
        DrainedSection section;
        try (Machine machine = Machine.booted(socket)) {
            read(machine);
            section = Host.await(DrainedSection.beginAsync(host.main, host.disk.backend()));
            submitRead(machine);
            awaitTrue(() -> host.disk.backend().gate().parkedCount() == 1);
        }
        awaitTrue(() -> host.server.status().frontEnd() == null);

        assertThat(host.disk.backend().gate().parkedCount()).isZero();
        Host.await(section.closeAsync());
        assertServesTheNext();
    }

    @Test
    @Rule("VHU-4")
    @Rule("VHU-47")
    void shouldAnswerInOrderWhileRingsRunAndHaveCommandsInFlight() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire call = Wire.ofSockets();
                Wire kick = Wire.ofSockets()) {
            GuestCommand held = holdOneRead(machine);
            FrontEnd frontEnd = machine.frontEnd;

            frontEnd.sendRaw(13, FrontEnd.VERSION | FrontEnd.NEED_REPLY,
                    payload -> payload.putLong(REQUESTS), call.writeEnd());
            frontEnd.sendRaw(17, FrontEnd.VERSION, payload -> { });
            frontEnd.sendRaw(12, FrontEnd.VERSION | FrontEnd.NEED_REPLY,
                    payload -> payload.putLong(REQUESTS), kick.readEnd());
            frontEnd.sendRaw(36, FrontEnd.VERSION, payload -> { });

            assertThat(frontEnd.reply(13).getLong()).isZero();
            assertThat(frontEnd.reply(17).getLong()).isEqualTo(4);
            assertThat(frontEnd.reply(12).getLong()).isZero();
            assertThat(frontEnd.reply(36).getLong()).isPositive();
            assertThat(held.isOutstanding()).isTrue();
            host.gate.open();
            assertThat(call.await()).isTrue();
        }
    }

    /** The front end waits as long as the section is held, and no longer: VHU-17 wants it so. */
    @Test
    @Rule("VHU-17")
    void shouldAnswerWhereARingStandsWhenTheSectionOverItsCommandsEnds() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine);
            DrainedSection section =
                    Host.await(DrainedSection.beginAsync(host.main, host.disk.backend()));
            GuestCommand parked = submitRead(machine);
            awaitTrue(() -> host.disk.backend().gate().parkedCount() == 1);
            CompletableFuture<Integer> base = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(() -> machine.stop(REQUESTS)));

            assertThat(host.onMain(base::isDone)).isFalse();
            assertThat(running(REQUESTS + 1)).isTrue();
            Host.await(section.closeAsync());

            assertThat(Host.await(base)).isPositive();
            machine.driver.poll();
            assertThat(parked.isGood()).isTrue();
        }
    }

    /** Nobody is there to be told: the next front end need not wait for the section. */
    @Test
    @Rule("VHU-45")
    void shouldNotWaitForASectionWhenTheFrontEndGoesWhileItStopsARing() throws Exception {
        DrainedSection section;
        try (Machine machine = Machine.booted(socket)) {
            section = stopUnderSection(machine);
        }
        awaitTrue(() -> host.server.status().frontEnd() == null);

        assertThat(host.disk.backend().gate().parkedCount()).isZero();
        Host.await(section.closeAsync());
        assertServesTheNext();
    }

    @Test
    @Rule("VHU-45")
    void shouldBeClosedThoughAFrontEndStopsARingUnderAHeldSection() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            DrainedSection section = stopUnderSection(machine);

            Host.await(host.server.closeNowAsync());

            assertThat(host.disk.backend().gate().parkedCount()).isZero();
            Host.await(section.closeAsync());
        }
    }

    /** Any number may wait in the socket, and each may take its time. */
    @Test
    void shouldNotDoWhatAFrontEndStillWantedWhenItIsShutOut() throws Exception {
        try (Machine machine = Machine.booted(socket); LogLines log = new LogLines()) {
            DrainedSection section = stopUnderSection(machine);
            machine.frontEnd.send(8, Machine.state(REQUESTS, 3)::encode); // would be complained of

            Host.await(host.server.closeNowAsync());

            assertThat(log.take()).isEmpty();
            Host.await(section.closeAsync());
        }
    }

    private DrainedSection stopUnderSection(Machine machine) throws Exception {
        read(machine);
        DrainedSection section =
                Host.await(DrainedSection.beginAsync(host.main, host.disk.backend()));
        submitRead(machine);
        awaitTrue(() -> host.disk.backend().gate().parkedCount() == 1);
        machine.frontEnd.send(11, Machine.state(REQUESTS, 0)::encode);
        return section;
    }

    @Test
    @Rule("VHU-42")
    @Rule("VSCSI-45")
    void shouldTellTheGuestOfADiskThatComesAndGoes() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            read(machine); // publishes the event buffers
            ScsiDisk second = host.onMain(() -> host.newDisk(
                    "second", new MemoryDriver(MemoryConfig.direct(1 << 20))));
            Host.await(host.bus.plug(second, new ScsiAddress(3, 5)));
            List<GuestEvent> events = new ArrayList<>();
            machine.until(() -> take(machine, events) == 1);
            Host.await(host.bus.unplug(new ScsiAddress(3, 5)));
            machine.until(() -> take(machine, events) == 2);

            assertThat(events).containsExactly(
                    new GuestEvent(GuestEvent.TRANSPORT_RESET, false, 3, 5,
                            GuestEvent.REASON_RESCAN),
                    new GuestEvent(GuestEvent.TRANSPORT_RESET, false, 3, 5,
                            GuestEvent.REASON_REMOVED));
            host.close(second);
        }
    }

    @Test
    @Rule("VHU-42")
    void shouldResetALogicalUnitUnderLoad() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            GuestCommand held = holdOneRead(machine);
            AtomicInteger code = new AtomicInteger(-1);

            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, code::set);
            machine.until(() -> code.get() >= 0);

            assertThat(code).hasValue(0);
            assertThat(held.isOutstanding()).isFalse();
            host.gate.open();
            assertThat(read(machine).isGood()).isTrue();
        }
    }

    @Test
    void shouldSayHowItStands() throws Exception {
        assertThat(host.server.status()).isEqualTo(new VhostUserStatus(true, 0, null));
        try (Machine machine = Machine.booted(socket)) {
            machine.frontEnd.settle();

            VhostUserStatus.FrontEnd shown = frontEnd();
            assertThat(shown.queues()).hasSize(4).allMatch(VhostUserStatus.Queue::isRunning);
            assertThat(shown.regions()).isOne();
            assertThat(shown.memoryBytes()).isEqualTo(8 << 20);
            assertThat(host.server.status().sessions()).isOne();
        }
    }

    private GuestCommand holdOneRead(Machine machine) throws Exception {
        read(machine); // takes the unit attention of the power-on
        host.gate.shut();
        GuestCommand held = submitRead(machine);
        awaitTrue(() -> host.gate.heldCount() == 1);
        return held;
    }

    private static GuestCommand read(Machine machine) {
        try (GuestSession session = machine.session()) {
            session.read(0, 0, GuestCdb.read10(0, 1), 512);
            return session.answer();
        }
    }

    private static GuestCommand submitRead(Machine machine) {
        GuestCommand command = machine.driver.newCommand(null);
        command.cdb(0, 0, GuestCdb.read10(0, 1))
                .dataIn(machine.shared.ram.allocate(512, 512), 512);
        assertThat(machine.driver.submit(0, command)).isTrue();
        machine.driver.kick();
        return command;
    }

    private static void until(Machine machine, GuestCommand command) {
        machine.until(() -> !command.isOutstanding());
    }

    private static int take(Machine machine, List<GuestEvent> events) {
        GuestEvent event = machine.driver.nextEvent();
        if (event != null) {
            events.add(event);
        }
        return events.size();
    }

    private void assertServesTheNext() throws Exception {
        try (Machine next = Machine.booted(socket)) {
            assertThat(read(next).isGood()).isTrue();
        }
    }

    private VhostUserStatus.FrontEnd frontEnd() {
        VhostUserStatus.FrontEnd shown = host.server.status().frontEnd();
        assertThat(shown).isNotNull();
        return shown;
    }

    private boolean running(int queue) {
        return frontEnd().queues().get(queue).isRunning();
    }

    private void awaitTrue(BooleanSupplier condition) {
        Host.until(condition, () -> host.gate.heldCount() + " requests held by the driver, "
                + host.disk.backend().gate().parkedCount() + " parked; " + host.server.status());
    }
}
