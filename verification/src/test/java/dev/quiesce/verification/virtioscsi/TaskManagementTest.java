package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.TaskFunctionStats;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TaskManagementTest {
    private static final int COMPLETE = 0;
    private static final int ABORTED = 2;
    private static final int BAD_TARGET = 3;
    private static final int RESET = 4;
    private static final int SUCCEEDED = 10;
    private static final int REJECTED = 11;
    private static final int INCORRECT_LUN = 12;

    private final List<Integer> answers = new ArrayList<>();

    @Test
    @Rule("VSCSI-29")
    @Rule("VSCSI-33")
    @Rule("SBUG-37")
    @Rule("VSCSI-23")
    void shouldAnswerAnAbortedCommandBeforeTheFunction() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            GuestCommand hung = machine.readThatHangs(0);
            boolean[] answeredFirst = {false};

            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 0, 0, hung.tag(), code -> {
                machine.driver.poll();
                answeredFirst[0] = !hung.isOutstanding();
                answers.add(code);
            });
            machine.until(() -> !answers.isEmpty());

            assertThat(answers).containsExactly(COMPLETE);
            assertThat(answeredFirst[0]).isTrue();
            assertThat(hung.response()).isEqualTo(ABORTED);
        }
    }

    @Test
    @Rule("VSCSI-33")
    @Rule("SCSI-54")
    void shouldWaitForADriverThatCannotCancel() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            GuestCommand hung = machine.readThatHangsDeaf(0);

            machine.driver.taskManagement(
                    GuestScsi.ABORT_TASK, 0, 0, hung.tag(), answers::add);
            machine.driver.taskManagement(
                    GuestScsi.ABORT_TASK_SET, 0, 0, 0, answers::add);
            machine.turn();
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.until(() -> answers.size() == 2);

            assertThat(hung.response()).isEqualTo(ABORTED);
        }
    }

    @Test
    @Rule("VSCSI-31")
    @Rule("VSCSI-26")
    @Rule("VSCSI-29")
    @Rule("VSCSI-23")
    void shouldAnswerFunctionsThatFindNothing() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun()) {

            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 0, 0, 4711, answers::add);
            machine.until(() -> answers.size() == 1);
            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 9, 0, 1, answers::add);
            machine.until(() -> answers.size() == 2);
            machine.driver.taskManagement(GuestScsi.LOGICAL_UNIT_RESET, 0, 3, 0, answers::add);
            machine.until(() -> answers.size() == 3);
            machine.driver.taskManagement(2, 0, 0, 0, answers::add);
            machine.until(() -> answers.size() == 4);

            assertThat(answers).containsExactly(COMPLETE, BAD_TARGET, INCORRECT_LUN, REJECTED);
        }
    }

    /** Before it looks for the unit, and while it waits for what is still to be fetched. */
    @Test
    @Rule("PURGE-16")
    void shouldAnswerFunctionsWhoseUnitGoesWhileTheyWait() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 1, 1)) {
            AioContext other = machine.others.get(0);
            machine.begunIn(other).settled();
            GuestCommand hung = machine.readThatHangsDeaf(0);
            CompletionStage<Void> leaves = machine.bus.unplug(new ScsiAddress(0, 0));
            machine.turnWithout(other);

            machine.driver.taskManagement(GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            machine.driver.taskManagement(GuestScsi.ABORT_TASK_SET, 1, 0, 0, answers::add);
            machine.turnWithout(other);
            CompletionStage<Void> goes = machine.bus.unplug(new ScsiAddress(1, 0));
            machine.turnWithout(other);
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.await(leaves);
            machine.await(goes);
            machine.until(() -> answers.size() == 2);

            assertThat(hung.isOutstanding()).isFalse();
            assertThat(answers).containsExactlyInAnyOrder(BAD_TARGET, COMPLETE);
        }
    }

    @Test
    @Rule("SCHED-7")
    void shouldAnswerAnAbortAndTheResetThatOvertakesIt() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            GuestCommand hung = machine.readThatHangsDeaf(0);

            machine.driver.taskManagement(GuestScsi.ABORT_TASK_SET, 0, 0, 0, answers::add);
            machine.turn();
            machine.driver.taskManagement(GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            machine.turn();
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.until(() -> answers.size() == 2);

            assertThat(answers).containsExactly(COMPLETE, COMPLETE);
            assertThat(hung.response()).as("the first cause stays").isEqualTo(ABORTED);
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VSCSI-29")
    @Rule("VSCSI-23")
    void shouldSayWhetherATaskExists() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.gates.get(0).shut();
            GuestCommand hung = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);

            machine.driver.taskManagement(
                    GuestScsi.QUERY_TASK, 0, 0, hung.tag(), answers::add);
            machine.until(() -> answers.size() == 1);
            machine.driver.taskManagement(
                    GuestScsi.QUERY_TASK, 0, 0, hung.tag() + 1, answers::add);
            machine.until(() -> answers.size() == 2);

            assertThat(answers).containsExactly(SUCCEEDED, COMPLETE);
        }
    }

    @Test
    void shouldCountFunctionsAndWhatTheyCancelled() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.gates.get(0).shut();
            machine.gates.get(0).cancellable(false);
            GuestCommand first = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.submit(0, 0, GuestCdb.read10(1, 1), 512);
            machine.until(() -> machine.gates.get(0).heldCount() == 2);

            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 0, 0, first.tag(), answers::add);
            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 0, 0, first.tag(), answers::add);
            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            machine.driver.taskManagement(GuestScsi.QUERY_TASK, 9, 0, 1, answers::add);
            machine.driver.taskManagement(2, 0, 0, 0, answers::add);
            machine.until(() -> answers.size() == 2);
            assertThat(machine.hba.taskFunctions())
                    .isEqualTo(new TaskFunctionStats(2, 1, 1, 1, 2));
            machine.gates.get(0).open();
            machine.until(() -> answers.size() == 5);

            assertThat(machine.hba.taskFunctions())
                    .isEqualTo(new TaskFunctionStats(2, 1, 1, 1, 5));
            ScsiDisk disk = machine.disks.get(0);
            assertThat(disk.cancelledRequests(CancelCause.ABORT)).isEqualTo(1);
            assertThat(disk.cancelledRequests(CancelCause.RESET)).isEqualTo(1);
            assertThat(disk.cancelledRequests(CancelCause.REMOVED)).isZero();
        }
    }

    @Test
    @Rule("PURGE-2")
    @Rule("PURGE-8")
    @Rule("PURGE-10")
    @Rule("SCSI-43")
    @Rule("VSCSI-23")
    void shouldResetAUnitWithRequestsInFlightAndReportIt() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2).begun().settled()) {
            machine.gates.get(0).shut();
            machine.gates.get(1).shut();
            GuestCommand hung = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            GuestCommand other = machine.submit(0, 1, GuestCdb.read10(0, 1), 512);
            machine.until(() -> machine.gates.get(1).heldCount() == 1);

            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            machine.until(() -> !answers.isEmpty());
            GuestCommand after = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(() -> !after.isOutstanding());

            assertThat(answers).containsExactly(COMPLETE);
            assertThat(hung.response()).isEqualTo(RESET);
            assertThat(other.isOutstanding()).isTrue();
            assertThat(after.sense()).isEqualTo(Sense.UA_RESET);
            assertThat(machine.disks.get(0).listedRequests()).isZero();
        }
    }

    @Test
    @Rule("SCHED-8")
    void shouldResetAUnitWhileAnotherOneIsInsideASection() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2).begun().settled()) {
            GuestCommand hung = machine.readThatHangs(0);
            DrainedSection section = machine.drain(1);
            GuestCommand parked = machine.readThatParks(1);

            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            machine.until(() -> !answers.isEmpty());
            assertThat(answers).containsExactly(COMPLETE);
            assertThat(hung.response()).isEqualTo(RESET);
            assertThat(parked.isOutstanding()).isTrue();
            section.close();
            machine.until(() -> !parked.isOutstanding());

            assertThat(parked.isGood()).isTrue();
            assertThat(machine.disks.get(1).unitAttentions()).isEmpty();
        }
    }

    @Test
    @Rule("PURGE-6")
    void shouldAbortACommandThatSomebodysSectionHasParked() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            try (DrainedSection section = machine.drain(0)) {
                GuestCommand parked = machine.readThatParks(0);

                machine.driver.taskManagement(
                        GuestScsi.ABORT_TASK, 0, 0, parked.tag(), answers::add);
                machine.until(() -> !answers.isEmpty());

                assertThat(parked.response()).isEqualTo(ABORTED);
                assertThat(machine.disks.get(0).backend().gate().parkedCount()).isZero();
            }
        }
    }

    @Test
    @Rule("VSCSI-33")
    void shouldFindACommandThatWasSentBeforeTheFunctionButNotFetched() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.await(machine.hba.stopDataplane());
            GuestCommand unfetched = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.driver.taskManagement(
                    GuestScsi.ABORT_TASK, 0, 0, unfetched.tag(), answers::add);
            machine.turn();
            assertThat(answers).isEmpty();

            machine.gates.get(0).shut();
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            machine.until(() -> !answers.isEmpty());

            assertThat(unfetched.isOutstanding()).isFalse();
            assertThat(unfetched.response()).isEqualTo(ABORTED);
        }
    }

    @Test
    @Rule("VSCSI-33")
    void shouldWaitForAStartAfterAResetToo() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.await(machine.hba.stopDataplane());
            machine.await(machine.driver.reset());
            machine.driver.forget();
            machine.driverUp();

            GuestCommand unfetched = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.driver.taskManagement(
                    GuestScsi.ABORT_TASK, 0, 0, unfetched.tag(), answers::add);
            machine.turn();
            assertThat(answers).isEmpty();
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            machine.until(() -> !answers.isEmpty());

            assertThat(unfetched.isOutstanding()).isFalse();
        }
    }

    @ParameterizedTest
    @Rule("MAL-25")
    @Rule("VSCSI-33")
    @Rule("SCSI-54")
    @ValueSource(ints = {GuestScsi.ABORT_TASK, GuestScsi.ABORT_TASK_SET, GuestScsi.CLEAR_TASK_SET,
        GuestScsi.LOGICAL_UNIT_RESET, GuestScsi.I_T_NEXUS_RESET})
    void shouldNotAnswerWhileAUnitThatIsBeingUnpluggedMayStillWrite(int function) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            machine.gates.get(0).shut();
            machine.gates.get(0).cancellable(false);
            GuestCommand hung = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> machine.gates.get(0).heldCount() == 1);
            CompletionStage<Void> gone = machine.bus.unplug(new ScsiAddress(0, 0));
            boolean[] answeredFirst = {false};

            machine.driver.taskManagement(function, 0, 0, hung.tag(), code -> {
                machine.driver.poll();
                answeredFirst[0] = !hung.isOutstanding();
                answers.add(code);
            });
            machine.turn();
            assertThat(hung.isOutstanding()).isTrue();
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.until(() -> !answers.isEmpty());
            machine.await(gone);

            assertThat(answeredFirst[0]).isTrue();
            assertThat(answers).containsExactly(BAD_TARGET);
        }
    }

    @Test
    @Rule("VSCSI-26")
    @Rule("VSCSI-33")
    void shouldWaitForTheLeavingUnitOfATargetThatKeepsOthers() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun()) {
            machine.plug(machine.newDisk(new MemoryDriver(
                    MemoryConfig.direct(ScsiMachine.DISK_BYTES))), new ScsiAddress(0, 1));
            machine.settled();
            machine.gates.get(0).shut();
            machine.gates.get(0).cancellable(false);
            GuestCommand hung = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> machine.gates.get(0).heldCount() == 1);
            CompletionStage<Void> gone = machine.bus.unplug(new ScsiAddress(0, 0));

            machine.driver.taskManagement(GuestScsi.ABORT_TASK, 0, 0, hung.tag(), answers::add);
            machine.driver.taskManagement(GuestScsi.I_T_NEXUS_RESET, 0, 0, 0, answers::add);
            machine.turn();
            assertThat(answers).isEmpty();
            machine.gates.get(0).open();
            machine.until(() -> answers.size() == 2);
            machine.await(gone);

            assertThat(answers).containsExactlyInAnyOrder(INCORRECT_LUN, COMPLETE);
            assertThat(machine.disks.get(1).unitAttentions()).contains(Sense.UA_RESET);
        }
    }

    @Test
    @Rule("BB-44")
    void shouldHandAQueueOverThoughAFunctionCameBetween() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 1, 1)) {
            machine.hba.startDataplane(machine.hba.following());
            machine.driverUp();
            machine.settled();
            GuestCommand hung = machine.readThatHangs(1);
            machine.await(machine.disks.get(0).backend().setContextAsync(machine.others.get(0)));
            machine.turn();
            assertThat(machine.hba.dataplane().rehomes()).isZero();

            machine.driver.taskManagement(GuestScsi.QUERY_TASK, 0, 0, 4711, answers::add);
            machine.until(() -> !answers.isEmpty());
            assertThat(hung.isOutstanding()).isTrue();
            machine.gates.get(1).open();
            machine.until(() -> machine.hba.dataplane().rehomes() == 1);

            assertThat(machine.hba.dataplane().handOversGivenUp()).isEqualTo(1);
            assertThat(hung.isGood()).isTrue();
        }
    }

    @Test
    @Rule("PURGE-8")
    @Rule("SCSI-34")
    void shouldReportAResetOnceThoughItLooksTwice() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2, 2, 1)) {
            AioContext other = machine.others.get(0);
            machine.hba.startDataplane(new QueueMapping.Fixed(List.of(machine.main, other)));
            machine.driverUp();
            machine.settled();

            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, answers::add);
            List<GuestCommand> during = new ArrayList<>();
            machine.untilWithout(other, () -> {
                during.add(machine.submit(0, 0, GuestCdb.testUnitReady(), 0));
                return during.size() == 20;
            });
            assertThat(answers).isEmpty();
            machine.until(() -> !answers.isEmpty());
            machine.until(() -> during.stream().noneMatch(GuestCommand::isOutstanding));
            during.add(machine.submit(0, 0, GuestCdb.testUnitReady(), 0));
            machine.until(() -> during.stream().noneMatch(GuestCommand::isOutstanding));

            assertThat(during.stream().filter(command -> command.sense().isUnitAttention()))
                    .hasSize(1);
        }
    }
}
