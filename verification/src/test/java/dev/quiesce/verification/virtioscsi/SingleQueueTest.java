package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.queue.HeadJournal;
import dev.quiesce.virtio.queue.QueueState;
import dev.quiesce.virtio.queue.Resumption;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Queues that are started and stopped one by one while the device runs. */
class SingleQueueTest {
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;

    @Test
    @Rule("VHU-17")
    void shouldCompleteWhatIsInFlightBeforeAQueueHasStopped() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            GuestCommand held = machine.readThatHangs(0);

            CompletableFuture<QueueState> stop =
                    machine.hba.stopQueue(REQUESTS).toCompletableFuture();
            machine.turn();
            assertThat(stop).isNotDone();
            machine.gates.get(0).open();
            machine.await(stop);
            long interrupts = machine.interrupts.raised();
            machine.turn();

            assertThat(held.isGood()).isTrue();
            assertThat(stop.join().lastAvail()).isEqualTo(stop.join().usedIndex());
            assertThat(machine.interrupts.raised()).isEqualTo(interrupts);
        }
    }

    @Test
    @Rule("VHU-18")
    @Rule("VHU-20")
    @Rule("VHU-21")
    @Rule("VHU-T01")
    @Rule("DP-30")
    @Rule("BUG-51")
    @Rule("SBUG-7")
    void shouldGoOnWhereAQueueStoodAndLoseNoKick() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup setup = machine.hba.queue(REQUESTS);
            QueueState stood = stop(machine, REQUESTS);
            GuestCommand meanwhile = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.turn();
            assertThat(meanwhile.isOutstanding()).isTrue();

            machine.await(machine.hba.startQueue(
                    REQUESTS, setup, Resumption.at(stood.lastAvail())));
            machine.until(() -> !meanwhile.isOutstanding());

            assertThat(meanwhile.isGood()).isTrue();
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VHU-17")
    void shouldLeaveTheOtherQueuesAlone() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0).begun().settled()) {
            stop(machine, REQUESTS);

            GuestCommand other = machine.submit(1, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !other.isOutstanding());

            assertThat(other.isGood()).isTrue();
        }
    }

    @Test
    void shouldLetAResetCancelWhatAStopWaitsFor() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            DrainedSection section = machine.drain(0);
            machine.readThatParks(0);
            CompletionStage<QueueState> stop = machine.hba.stopQueue(REQUESTS);
            machine.turn();
            assertThat(stop.toCompletableFuture()).isNotDone();

            machine.await(machine.driver.reset());

            assertThat(stop.toCompletableFuture()).isCompleted();
            section.close();
            machine.driver.forget();
        }
    }

    @Test
    @Rule("VHU-42")
    void shouldAnswerTaskManagementAfterTheControlQueueWasStopped() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup setup = machine.hba.queue(VirtioScsi.CONTROL_QUEUE);
            AtomicInteger code = new AtomicInteger(-1);
            QueueState stood = stop(machine, VirtioScsi.CONTROL_QUEUE);
            machine.driver.taskManagement(
                    GuestScsi.LOGICAL_UNIT_RESET, 0, 0, 0, code::set);
            machine.turn();
            assertThat(code).hasValue(-1);

            machine.await(machine.hba.startQueue(
                    VirtioScsi.CONTROL_QUEUE, setup, Resumption.at(stood.lastAvail())));
            machine.until(() -> code.get() >= 0);

            assertThat(code).hasValue(0);
        }
    }

    @Test
    @Rule("VSCSI-41")
    void shouldSayThatEventsWereMissedWhileTheEventQueueWasStopped() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup setup = machine.hba.queue(VirtioScsi.EVENT_QUEUE);
            QueueState stood = stop(machine, VirtioScsi.EVENT_QUEUE);
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                    new ScsiAddress(1, 0));
            machine.turn();
            assertThat(machine.driver.nextEvent()).isNull();

            machine.await(machine.hba.startQueue(
                    VirtioScsi.EVENT_QUEUE, setup, Resumption.at(stood.lastAvail())));
            machine.turn();

            assertThat(machine.driver.nextEvent()).matches(event -> event.missed());
        }
    }

    /** Whoever stops a ring wants its position to say that nothing is in flight. */
    @Test
    @Rule("VHU-17")
    @Rule("VHU-28")
    void shouldFinishWhatAnEarlierLifeFetchedAlsoIfTheQueueIsStoppedAtOnce() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup setup = machine.hba.queue(REQUESTS);
            QueueState stood = stop(machine, REQUESTS);
            GuestCommand fetched = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            List<String> journal = new ArrayList<>();

            CompletionStage<Void> start = machine.hba.startQueue(
                    REQUESTS, setup, afterFetching(machine, setup, stood, journal));
            CompletionStage<QueueState> stop = machine.hba.stopQueue(REQUESTS);
            machine.await(start);
            machine.await(stop);
            machine.turn();

            assertThat(fetched.isGood()).isTrue();
            QueueState end = stop.toCompletableFuture().join();
            assertThat(end.lastAvail()).isEqualTo(end.usedIndex())
                    .isEqualTo((stood.lastAvail() + 1) & 0xFFFF);
            assertThat(journal).containsExactly("pushed", "published");
        }
    }

    /** It was lost with the back end that was about to send it. */
    @Test
    @Rule("VHU-28")
    @Rule("VSCSI-41")
    void shouldSayThatEventsWereMissedInABufferThatAnEarlierLifeFetched() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            QueueSetup setup = machine.hba.queue(VirtioScsi.EVENT_QUEUE);
            QueueState stood = stop(machine, VirtioScsi.EVENT_QUEUE);
            List<String> journal = new ArrayList<>();

            machine.await(machine.hba.startQueue(VirtioScsi.EVENT_QUEUE, setup,
                    afterFetching(machine, setup, stood, journal)));
            QueueState end = stop(machine, VirtioScsi.EVENT_QUEUE);
            machine.turn();

            assertThat(machine.driver.nextEvent()).matches(event -> event.missed());
            assertThat(end.lastAvail()).isEqualTo(end.usedIndex());
            assertThat(journal).containsExactly("pushed", "published");
        }
    }

    @Test
    void shouldRefuseToStartAQueueThatIsInUseOrDoesNotExist() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun()) {
            QueueSetup setup = machine.hba.queue(REQUESTS);

            assertRefused(machine, machine.hba.startQueue(REQUESTS, setup, Resumption.at(0)));
            assertRefused(machine, machine.hba.startQueue(99, setup, Resumption.at(0)));
            assertRefused(machine, machine.hba.startQueue(-1, setup, Resumption.at(0)));
            assertRefused(machine, machine.hba.stopQueue(99));
            stop(machine, REQUESTS);
            assertRefused(machine, machine.hba.stopQueue(REQUESTS));
            machine.await(machine.driver.reset());
            assertRefused(machine, machine.hba.startQueue(REQUESTS, setup, Resumption.at(0)));
        }
    }

    @Test
    @Rule("MAL-1")
    void shouldBreakTheDeviceOverARingThatIsNotInMemory() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun()) {
            stop(machine, REQUESTS);

            machine.await(machine.hba.startQueue(
                    REQUESTS, new QueueSetup(128, 0x10, 0x20, 0x40, true), Resumption.at(0)));

            assertThat(machine.hba.isBroken()).isTrue();
            machine.await(machine.hba.stopQueue(REQUESTS));
        }
    }

    /** As if somebody had fetched one more chain than the queue that stood there. */
    private static Resumption afterFetching(
            ScsiMachine machine, QueueSetup setup, QueueState stood, List<String> journal) {
        int slot = stood.lastAvail() % setup.sizeEntries();
        byte[] entry = machine.driver.ram().read(setup.availAddress() + 4 + 2L * slot, 2);
        int head = (entry[0] & 0xFF) | (entry[1] & 0xFF) << 8;
        return Resumption.of((stood.lastAvail() + 1) & 0xFFFF, new int[] {head}, new HeadJournal() {
            @Override
            public void fetched(int fetchedHead) {
                journal.add("fetched");
            }

            @Override
            public void unfetched(int unfetchedHead) {
                journal.add("unfetched");
            }

            @Override
            public void pushed(int pushedHead) {
                journal.add("pushed");
            }

            @Override
            public void published(int usedIndex) {
                journal.add("published");
            }
        });
    }

    private static QueueState stop(ScsiMachine machine, int queue) {
        CompletableFuture<QueueState> stop = machine.hba.stopQueue(queue).toCompletableFuture();
        machine.await(stop);
        return stop.join();
    }

    private static void assertRefused(ScsiMachine machine, CompletionStage<?> operation) {
        assertThatThrownBy(() -> machine.await(operation))
                .hasRootCauseInstanceOf(IllegalStateException.class);
    }
}
