package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A loop that polls asks the rings that it serves; a guest need not kick meanwhile. */
class PolledRingTest {
    private static final int REQUEST_QUEUE = 2;

    private final ScsiMachine machine = ScsiMachine.withDisks(1);
    private final PausingParker parker = new PausingParker();
    private final AioContext io = new AioContext(
            "io", LoopSeams.system().withClock(() -> parker.nowNanos).withParker(parker));
    private final Lease lease = io.acquire();

    @BeforeEach
    void beginOnALoopThatPolls() {
        machine.others.add(io);
        machine.begunIn(io).settled();
        machine.others.remove(io);
        io.setPolling(new PollParameters(TimeUnit.MICROSECONDS.toNanos(32), 0, 0));
        io.poll(0); // It was told of that.
        learn();
    }

    @AfterEach
    void close() {
        machine.others.add(io);
        machine.close();
        lease.close();
    }

    @Test
    @Rule("DP-32")
    void shouldServeAChainThatNobodyKicked() {
        GuestCommand[] command = new GuestCommand[1];
        parker.pauses.add(() -> command[0] = submit());

        io.poll(Long.MAX_VALUE);

        assertThat(parker.bellsInPauses).isZero();
        assertThat(parker.parks).isZero();
        machine.driver.poll();
        assertThat(command[0].isGood()).isTrue();
    }

    @Test
    @Rule("DP-32")
    @Rule("VSCSI-18")
    void shouldLeaveKicksOffBetweenTheBatchesOfOnePolling() {
        parker.pauses.add(this::submit);
        io.poll(Long.MAX_VALUE);
        parker.pauses.add(this::submit);

        io.poll(Long.MAX_VALUE);

        assertThat(machine.driver.poll()).isEqualTo(2);
        assertThat(parker.bellsInPauses).isZero();
        assertThat(parker.parks).isZero();
    }

    @Test
    @Rule("DP-32")
    @Rule("SBUG-46")
    void shouldAskForKicksAgainBeforeItSleeps() {
        parker.pauses.add(this::submit);
        io.poll(Long.MAX_VALUE);
        parker.whenParked = this::submit;

        io.poll(Long.MAX_VALUE);
        io.poll(0);

        assertThat(parker.parks).isEqualTo(1);
        assertThat(parker.bellsInParks).isEqualTo(1);
        assertThat(machine.driver.poll()).isEqualTo(2);
    }

    @Test
    @Rule("DP-31")
    @Rule("SBUG-7")
    void shouldHandAPolledRingOverWithKicksAskedFor() {
        parker.pauses.add(this::submit);
        io.poll(Long.MAX_VALUE);
        machine.others.add(io);

        machine.await(machine.hba.stopDataplane());
        machine.hba.startDataplane(machine.allOnMain());
        machine.turn();
        machine.others.remove(io);
        GuestCommand later = submit();

        assertThat(parker.bells).isEqualTo(1);
        machine.until(() -> !later.isOutstanding());
        assertThat(later.isGood()).isTrue();
    }

    @Test
    @Rule("SCHED-13")
    void shouldHearKicksAfterASectionThatBeganWhileTheRingWasPolled() {
        parker.pauses.add(this::submit);
        io.poll(Long.MAX_VALUE);
        machine.others.add(io);
        machine.driver.poll();

        DrainedSection section = machine.drain(0);
        GuestCommand parked = machine.readThatParks(0);
        section.close();
        machine.until(() -> !parked.isOutstanding());
        machine.others.remove(io);
        parker.whenParked = this::submit;
        io.poll(Long.MAX_VALUE);
        io.poll(0);

        assertThat(parker.bellsInParks).isEqualTo(1);
        assertThat(machine.driver.poll()).isEqualTo(1);
    }

    @Test
    @Rule("MAL-32")
    void shouldBreakTheDeviceAndNotTheLoopIfThePolledRingIsGone() {
        parker.pauses.add(() -> machine.ram.replaceMap(
                new VanishingMap(machine.ram.whole(), 0, null)));

        io.poll(Long.MAX_VALUE);
        machine.turn();

        assertThat(machine.hba.isBroken()).isTrue();
        assertThat(io.poll(0)).isFalse();
        machine.ram.replaceMap(machine.ram.whole());
    }

    /** Once it was served, a ring is worth polling for as long as the loop had to wait for it. */
    private void learn() {
        for (int i = 0; i < 4; i++) {
            parker.whenParked = this::submit;
            io.poll(Long.MAX_VALUE);
            io.poll(0);
        }
        assertThat(machine.driver.poll()).isEqualTo(4);
        parker.reset();
    }

    /** Makes a command available, and kicks if the device asks for it. */
    private GuestCommand submit() {
        GuestCommand command = machine.driver.newCommand(null);
        command.cdb(0, 0, GuestCdb.testUnitReady());
        assertThat(machine.driver.submit(0, command)).isTrue();
        boolean before = machine.hba.kick(REQUEST_QUEUE).isSet();
        machine.driver.kick();
        if (!before && machine.hba.kick(REQUEST_QUEUE).isSet()) {
            parker.bells++;
        }
        return command;
    }
}
