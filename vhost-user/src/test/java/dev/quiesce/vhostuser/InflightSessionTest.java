package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sessions of front ends that keep a buffer for what is in flight, good ones and bad ones. */
class InflightSessionTest extends ServedSocket {
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;
    private static final int BLOCKS = 8;
    private static final int BYTES = BLOCKS * 512;


    @Override
    Host newHost() throws Exception {
        return new Host(socket, 1);
    }

    @Test
    @Rule("VHU-25")
    @Rule("VHU-6")
    @Rule("VHU-5")
    void shouldHandOutZeroedMemoryOfTheSizeThatItNeeds() throws Exception {
        try (FrontEnd frontEnd = agreed();
                InflightMemory first = InflightMemory.ask(frontEnd, 3, 128)) {
            assertThat(first.size()).isEqualTo(3 * (16 + 128 * 16 + 48));
            assertThat(first.queues()).isEqualTo(3);
            assertThat(first.entries()).isEqualTo(128);
            assertZeroed(first);
            assertThat(KernelCounts.targets()).noneMatch(name ->
                    name.contains("quiesce-inflight") && !name.contains("(deleted)"));

            first.forge(2, 5, 1);
            try (InflightMemory second = InflightMemory.ask(frontEnd, 3, 128)) {
                assertZeroed(second);
            }
        }
    }

    /** Compilers differ about padding: a front end gets back as many bytes as it sent. */
    @Test
    @Rule("VHU-5")
    void shouldAnswerInTheSizeOfTheQuestion() throws Exception {
        try (FrontEnd frontEnd = agreed()) {
            for (int bytes : new int[] {20, 24}) {
                assertThat(frontEnd.ask(31, payload -> {
                    InflightMemory.describe(payload, 0, 0, 2, 64);
                    payload.position(bytes);
                }).remaining()).isEqualTo(bytes);
                ReceivedDescriptors.close(frontEnd.takeDescriptors()[0]);
            }
        }
    }

    @Test
    @Rule("VHU-27")
    @Rule("SCHED-24")
    void shouldKeepTrackOfExactlyWhatIsUnfinished() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            InflightMemory buffer = machine.inflight();
            host.gate.shut();
            List<GuestCommand> writes = submitWrites(machine, 5);
            awaitUnfinished(buffer, writes.size());
            assertThat(buffer.version(REQUESTS)).isOne();
            assertThat(buffer.usedIndex(REQUESTS)).isEqualTo(machine.usedIndex(REQUESTS));

            host.gate.open();
            machine.until(() -> machine.driver.outstanding() == 0);
            machine.pause();

            assertThat(buffer.count(REQUESTS)).isZero();
            assertThat(buffer.usedIndex(REQUESTS)).isEqualTo(machine.usedIndex(REQUESTS))
                    .isEqualTo(machine.base(REQUESTS));
            machine.start(machine.lastRings());
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            writes.forEach(machine.driver::free);
        }
    }

    /** The guest is told that its commands were cancelled, so nobody may execute them again. */
    @Test
    @Rule("VHU-28")
    void shouldLeaveNothingUnfinishedToTheNextConnectionOfALivingGuest() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            host.gate.shut();
            List<GuestCommand> writes = submitWrites(machine, 5);
            awaitUnfinished(machine.inflight(), writes.size());
            machine.frontEnd.close();
            host.gate.open();

            machine.reconnect(socket);

            machine.until(() -> machine.driver.outstanding() == 0);
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            machine.pause();
            assertThat(machine.inflight().count(REQUESTS)).isZero();
            assertThat(machine.driver.ledger().complaints()).isEmpty();
            writes.forEach(machine.driver::free);
        }
    }

    /** What was in flight when the guest broke its device is gone with the reset. */
    @Test
    @Rule("VHU-28")
    void shouldForgetAtAResetWhatABrokenDeviceNeverFinished() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            InflightMemory buffer = machine.inflight();
            host.gate.shut();
            List<GuestCommand> writes = submitWrites(machine, 2);
            awaitUnfinished(buffer, writes.size());
            host.server.device().markBroken("a test", null);
            host.gate.open();

            assertThat(machine.frontEnd.acknowledged(34, payload -> { })).isZero();

            assertThat(buffer.version(REQUESTS)).isZero();
        }
    }

    @Test
    @Rule("VHU-25")
    @Rule("SBUG-28")
    @Rule("VHU-T10")
    void shouldRefuseBuffersThatCannotBe() throws Exception {
        try (FrontEnd frontEnd = agreed(); SharedRam ram = new SharedRam(1 << 20)) {
            long need = 3 * (16 + 128 * 16 + 48);
            assertThat(set(frontEnd, ram, need, 0, 3, 128)).isZero();
            assertThat(set(frontEnd, ram, need - 1, 0, 3, 128)).isOne();
            assertThat(set(frontEnd, ram, -1, 0, 3, 128)).isOne();
            assertThat(set(frontEnd, ram, need, 4, 3, 128)).isOne();
            assertThat(set(frontEnd, ram, need, -8, 3, 128)).isOne();
            assertThat(set(frontEnd, ram, need, 1 << 21, 3, 128)).isOne();
            assertThat(set(frontEnd, ram, need, 0, 0, 128)).isOne();
            assertThat(set(frontEnd, ram, need, 0, 3, 0)).isOne();
            assertThat(set(frontEnd, ram, 1 << 20, 0, 4, 128)).isOne();
            assertThat(set(frontEnd, ram, 1 << 20, 0, 3, 32768)).isOne();
            assertThat(set(frontEnd, ram, 1 << 20, 0, 65535, 65535)).isOne();
            assertThat(frontEnd.acknowledged(32,
                    payload -> InflightMemory.describe(payload, need, 0, 3, 128))).isOne();
        }
        try (FrontEnd frontEnd = agreed()) {
            frontEnd.send(31, payload -> InflightMemory.describe(payload, 0, 0, 3, 32768));
            frontEnd.awaitClosed();
        }
        try (FrontEnd frontEnd = new FrontEnd(socket)) {
            frontEnd.send(31, payload -> InflightMemory.describe(payload, 0, 0, 3, 128));
            frontEnd.awaitClosed();
        }
    }

    @Test
    @Rule("VHU-25")
    void shouldRefuseAnotherBufferWhileRingsRun() throws Exception {
        try (LogLines log = new LogLines(); Machine machine = Machine.booted(socket)) {
            machine.inflight().give(machine.frontEnd);

            machine.frontEnd.awaitClosed();

            log.await(1);
            assertThat(log.take()).singleElement().asString()
                    .contains("another in-flight buffer while rings run");
        }
    }

    @Test
    @Rule("VHU-28")
    @Rule("SBUG-28")
    void shouldCloseWithOneLineOverABufferThatWasForged() throws Exception {
        assertCloses("queue 2: head 7 is marked 3", machine ->
                machine.inflight().forge(REQUESTS, 7, 3));
        assertCloses("queue 2: head 255 in flight in a ring of 128", machine ->
                machine.inflight().forge(REQUESTS, 255, 1));
        assertCloses("queue 2: the last batch of 3", machine -> {
            machine.inflight().forge(REQUESTS, 7, 1);
            machine.inflight().forgeUsedIndex(REQUESTS, machine.usedIndex(REQUESTS) - 3);
        });
    }

    @Test
    @Rule("VHU-14")
    @Rule("SBUG-28")
    void shouldCloseWithOneLineOverABufferThatIsTruncatedWhileNothingRuns() throws Exception {
        assertCloses("in-flight buffer: it was truncated", machine ->
                machine.inflight().truncate());
    }

    @Test
    @Rule("VHU-14")
    void shouldBreakTheDeviceOfAFrontEndThatTruncatesItsBuffer() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
            machine.inflight().truncate();

            submitWrites(machine, 1);

            Host.until(() -> host.server.device().isBroken(), () -> "the device is not broken");
            assertThat(host.server.device().brokenCause()).isInstanceOf(InternalError.class);
        }
        try (Machine next = Machine.booted(socket); GuestSession session = next.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
        }
    }

    /** Stops the rings, does something to the buffer, and starts them. */
    private void assertCloses(String why, Forgery forgery) throws Exception {
        try (LogLines log = new LogLines(); Machine machine = Machine.booted(socket)) {
            try (GuestSession session = machine.session()) {
                session.execute(0, 0, GuestCdb.testUnitReady());
            }
            machine.pause();
            forgery.apply(machine);

            machine.enable(REQUESTS, 1);
            machine.describe(REQUESTS, machine.lastRings().get(REQUESTS));
            machine.kickAgain(REQUESTS);
            machine.frontEnd.awaitClosed();

            log.await(1);
            assertThat(log.take()).singleElement().asString()
                    .contains("WARN").contains("connection closed").contains(why);
        }
    }

    private static void assertZeroed(InflightMemory buffer) {
        for (int queue = 0; queue < buffer.queues(); queue++) {
            assertThat(buffer.version(queue)).isZero();
            assertThat(buffer.usedIndex(queue)).isZero();
            assertThat(buffer.count(queue)).isZero();
        }
    }

    private static long set(FrontEnd frontEnd, SharedRam ram, long size, long offset, int queues,
            int entries) throws Exception {
        return frontEnd.acknowledged(32,
                payload -> InflightMemory.describe(payload, size, offset, queues, entries),
                ram.descriptor());
    }

    private FrontEnd agreed() throws Exception {
        FrontEnd frontEnd = new FrontEnd(socket);
        frontEnd.acknowledged(16, payload -> payload.putLong(1 << 3 | 1 << 12));
        return frontEnd;
    }

    private static void awaitUnfinished(InflightMemory buffer, int count) {
        Host.until(() -> buffer.count(REQUESTS) >= count,
                () -> buffer.count(REQUESTS) + " of " + count + " are in flight");
    }

    private static List<GuestCommand> submitWrites(Machine machine, int count) {
        List<GuestCommand> writes = new ArrayList<>();
        byte[] data = new byte[BYTES];
        for (int i = 0; i < count; i++) {
            new Random(i).nextBytes(data);
            long buffer = machine.shared.ram.allocate(BYTES, 512);
            machine.shared.ram.write(buffer, data);
            GuestCommand write = machine.driver.newCommand(null)
                    .cdb(0, 0, GuestCdb.write10((long) i * BLOCKS, BLOCKS, false))
                    .dataOut(buffer, BYTES);
            assertThat(machine.driver.submit(0, write)).isTrue();
            writes.add(write);
        }
        machine.driver.kick();
        return writes;
    }

    /** What a front end does to its buffer. */
    private interface Forgery {
        void apply(Machine machine) throws Exception;
    }
}
