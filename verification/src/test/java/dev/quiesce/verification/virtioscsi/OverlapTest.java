package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Start, stop, reset, hand-over and task management, each in the middle of another. */
class OverlapTest {
    private static final int RESET = 4;
    private static final int EXISTS = 10;
    private static final int MORE_THAN_A_BATCH = 100;
    private static final int MORE_THAN_TWO_BATCHES = 200;

    private final List<Integer> answers = new ArrayList<>();

    @Test
    @Rule("VSCSI-49")
    @Rule("VSCSI-54")
    @Rule("VSCSI-52")
    void shouldEndAResetThoughAFunctionMeetsIt() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            GuestCommand hung = machine.readThatHangsDeaf(0);

            CompletionStage<Void> reset = machine.driver.reset();
            machine.turn();
            machine.driver.taskManagement(
                    GuestScsi.ABORT_TASK, 0, 0, hung.tag(), answers::add);
            machine.turn();
            assertThat(reset.toCompletableFuture()).isNotDone();
            machine.gates.get(0).open();
            machine.await(reset);

            assertThat(machine.hba.status()).isZero();
        }
    }

    @Test
    @Rule("VSCSI-49")
    void shouldNotFetchWhatWasSentAfterTheReset() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            AioContext other = machine.others.get(0);
            machine.begunIn(other);
            machine.settled();
            CompletionStage<Void> reset = machine.driver.reset();
            machine.turnWithout(other);

            GuestCommand late = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.await(reset);
            machine.driver.poll();

            assertThat(late.isOutstanding()).isTrue();
        }
    }

    @Test
    @Rule("DP-29")
    void shouldNotStartWhatWasStoppedWhileTheStartWaited() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1).begun().settled()) {
            DrainedSection section = machine.drain(0);
            GuestCommand parked = machine.readThatParks(0);

            CompletionStage<Void> start = machine.hba.startDataplane(
                    new QueueMapping.Fixed(List.of(machine.others.get(0))));
            CompletionStage<Void> stop = machine.hba.stopDataplane();
            machine.turn();
            assertThat(start.toCompletableFuture()).isNotDone();
            section.close();
            machine.await(start);
            machine.await(stop);
            machine.until(() -> !parked.isOutstanding());

            GuestCommand unserved = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.turn();
            assertThat(unserved.isOutstanding()).isTrue();
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            machine.until(() -> !unserved.isOutstanding());
        }
    }

    @Test
    @Rule("VSCSI-49")
    @Rule("DP-29")
    void shouldServeAgainAfterAResetThatCameWhileAStartWaited() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1).begun().settled()) {
            DrainedSection section = machine.drain(0);
            machine.readThatParks(0);

            CompletionStage<Void> start = machine.hba.startDataplane(
                    new QueueMapping.Fixed(List.of(machine.others.get(0))));
            CompletionStage<Void> reset = machine.driver.reset();
            machine.await(reset);
            machine.await(start);
            section.close();
            machine.driver.forget();
            machine.driverUp();
            GuestCommand again = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(() -> !again.isOutstanding());

            assertThat(again.response()).isEqualTo(GuestCommand.RESPONSE_OK);
        }
    }

    @Test
    @Rule("VSCSI-33")
    @Rule("PURGE-6")
    void shouldResetAUnitForWhichAStopAndAStartWait() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            try (DrainedSection section = machine.drain(0)) {
                GuestCommand parked = machine.readThatParks(0);
                CompletionStage<Void> stop = machine.hba.dataplane().stop();
                CompletionStage<Void> start = machine.hba.dataplane().start(machine.allOnMain());
                machine.turn();
                assertThat(stop.toCompletableFuture()).isNotDone();
                assertThat(start.toCompletableFuture()).isNotDone();

                machine.driver.taskManagement(
                        GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
                machine.until(() -> !answers.isEmpty());

                assertThat(parked.response()).isEqualTo(RESET);
                assertThat(start.toCompletableFuture()).isDone();
            }
        }
    }

    @Test
    @Rule("DP-3")
    void shouldServeEveryQueueAfterAStartThatFailed() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0).begun().settled()) {
            machine.await(machine.hba.stopDataplane());
            AioContext gone = new AioContext("gone", LoopSeams.system());
            Lease lease = gone.acquire();
            gone.close();
            lease.close();

            CompletionStage<Void> failed = machine.hba.startDataplane(
                    new QueueMapping.Fixed(List.of(machine.main, gone)));
            machine.turn();
            assertThat(failed.toCompletableFuture()).isCompletedExceptionally();
            machine.await(machine.hba.stopDataplane());
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            GuestCommand command = machine.submit(1, 0, GuestCdb.testUnitReady(), 0);
            machine.until(() -> !command.isOutstanding());

            assertThat(command.isGood()).isTrue();
        }
    }

    @Test
    @Rule("VSCSI-33")
    @Rule("BB-44")
    void shouldFetchMoreThanABatchForAFunctionThoughTheQueueIsToMove() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 1, 1)) {
            AioContext other = machine.others.get(0);
            machine.await(machine.disks.get(0).backend().setContextAsync(other));
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp();
            machine.settled();
            for (int i = 1; i < MORE_THAN_A_BATCH; i++) {
                machine.submit(0, 1, GuestCdb.testUnitReady(), 0);
            }
            machine.gates.get(0).shut();
            GuestCommand last = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.driver.taskManagement(
                    GuestScsi.QUERY_TASK, 0, 0, last.tag(), answers::add);
            machine.turnWithout(other);

            CompletionStage<Void> move =
                    machine.disks.get(0).backend().setContextAsync(machine.main);
            machine.turnWithout(other);
            assertThat(move.toCompletableFuture()).isDone();
            machine.until(() -> !answers.isEmpty());
            assertThat(answers).containsExactly(EXISTS);
            machine.gates.get(0).open();
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);
        }
    }

    @Test
    @Rule("BB-51")
    void shouldGiveAHandOverUpWhenASectionBegins() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 1, 1)) {
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp();
            machine.settled();
            GuestCommand hung = machine.readThatHangs(1);
            machine.await(machine.disks.get(0).backend().setContextAsync(machine.others.get(0)));
            machine.turn();

            CompletionStage<DrainedSection> section =
                    DrainedSection.beginAsync(machine.main, machine.disks.get(1).backend());
            GuestCommand other = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !other.isOutstanding());
            assertThat(section.toCompletableFuture()).isNotDone();
            assertThat(machine.hba.dataplane().handOversGivenUp()).isEqualTo(1);
            machine.gates.get(1).open();
            machine.until(() -> section.toCompletableFuture().isDone());
            machine.await(section.thenCompose(DrainedSection::closeAsync));
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);

            assertThat(hung.isGood()).isTrue();
        }
    }

    @Test
    @Rule("DP-29")
    @Rule("VQ-27")
    void shouldHandOverOnlyWhenTheNextBatchWasTakenBack() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 1, 1)) {
            AioContext other = machine.others.get(0);
            GuestScsi driver = new GuestScsi(machine.hba, machine.ram,
                    new GuestScsiConfig(256, true, true, 0), machine.main.clock());
            machine.hba.startDataplane(new QueueMapping.Fixed(List.of(other)));
            GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
            for (int i = 0; i < MORE_THAN_TWO_BATCHES; i++) {
                assertThat(driver.submit(0, driver.newCommand(null)
                        .cdb(0, 0, GuestCdb.testUnitReady()))).isTrue();
            }
            driver.kick();
            other.poll(0);

            CompletionStage<Void> start = machine.hba.startDataplane(machine.allOnMain());
            machine.turnWithout(other);
            other.poll(0);
            machine.turnWithout(other);
            assertThat(start.toCompletableFuture()).isNotDone();
            machine.await(start);
            machine.until(() -> {
                driver.poll();
                return driver.outstanding() == 0;
            });

            assertThat(driver.ledger().complaints()).isEmpty();
            machine.await(driver.reset());
            driver.forget();
        }
    }
}
