package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.guest.BufferList;
import dev.quiesce.testkit.guest.DriverQueue;
import dev.quiesce.testkit.guest.DriverQueueConfig;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.RingViolation;
import dev.quiesce.testkit.guest.UsedHandler;
import dev.quiesce.virtio.dataplane.Dataplane;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.dataplane.QueuePump;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.device.VirtioDeviceConfig;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/**
 * A queue that follows its leader from one loop to another, while its guest offers chains and
 * kicks, a host completes them, and drained sections come and go: every schedule with few
 * preemptions. What happens below callbacks is asked elsewhere: the kick by
 * EventNotifierStepModelTest, the ring by the tests of two threads.
 */
class HandOverTest {
    private static final int RING = 4;
    private static final int RAM_BYTES = 1 << 12;
    private static final int CHAINS = 2;
    private static final int PREEMPTIONS = 3;

    /** With more, these take longer than a test may. */
    private static final int PREEMPTIONS_OF_LONG_STORIES = 2;

    /** Where a completion is sent. */
    private enum Home { OF_THE_CHAIN, OF_THE_LEADER }

    @Test
    @Rule("DP-8")
    @Rule("DP-29")
    @Rule("DP-45")
    @Rule("DP-7")
    @Rule("DP-33")
    @Rule("SCHED-30")
    void shouldServeEveryChainOnceWhereverTheQueueGoes() {
        SearchReport report = search(Home.OF_THE_CHAIN, Control.MOVES_ONCE);

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    @Test
    @Rule("DP-29")
    @Rule("BB-51")
    void shouldServeEveryChainOnceThoughASectionMeetsTheHandOver() {
        SearchReport report = search(Home.OF_THE_CHAIN, Control.MOVES_UNDER_A_SECTION);

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    @Test
    @Rule("DP-29")
    void shouldServeEveryChainOnceThroughAStopAndAStart() {
        SearchReport report = search(Home.OF_THE_CHAIN, Control.STOPS_AND_STARTS);

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    /** The mistake that the old designs made: work goes to where the disk lives by now. */
    @Test
    void shouldFindCompletionsThatGoToWhereTheLeaderIsNow() {
        SearchReport report = search(Home.OF_THE_LEADER, Control.MOVES_ONCE);

        assertThat(report.isClean()).as(report.toString()).isFalse();
    }

    private static SearchReport search(Home home, Control control) {
        return ScheduleSearch.of(sim -> new Story(sim, home).tell(control))
                .preemptionsMax(control == Control.MOVES_ONCE
                        ? PREEMPTIONS : PREEMPTIONS_OF_LONG_STORIES)
                .explore();
    }

    /** What control does meanwhile. */
    private enum Control { MOVES_ONCE, MOVES_UNDER_A_SECTION, STOPS_AND_STARTS }

    private static final class Story implements UsedHandler {
        private final Simulation sim;
        private final Home completions;
        private final AioContext a;
        private final AioContext b;
        private final GuestRam ram = GuestRam.heap(1 << 12, RAM_BYTES);
        private final DriverQueue guest;
        private final Device device;
        private final QueuePump pump;
        private final Dataplane dataplane;
        private final Deque<Work> atTheHost = new ArrayDeque<>();
        private final long buffer;
        private AioContext leader;
        private int returned;

        Story(Simulation sim, Home completions) {
            this.sim = sim;
            this.completions = completions;
            this.a = sim.context("A");
            this.b = sim.context("B");
            this.leader = a;
            this.guest = new DriverQueue(ram, new DriverQueueConfig(RING, false, true));
            this.buffer = ram.allocate(1, 1);
            this.device = new Device(sim.main(), ram);
            this.pump = new QueuePump(device, 0, this::onChain);
            this.dataplane = new Dataplane("queues", sim.main(), List.of(pump));
            sim.given(sim.main(), () -> {
                dataplane.install(0, new SplitVirtqueue(new QueueConfig(RING,
                        guest.descriptorAddress(), guest.availAddress(), guest.usedAddress(),
                        VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX), ram));
                dataplane.start(mapping());
            });
        }

        private QueueMapping mapping() {
            return new QueueMapping.Follow(queue -> leader);
        }

        void tell(Control control) {
            var driver = sim.actor("guest");
            for (int i = 0; i < CHAINS; i++) {
                int token = i;
                boolean[] wanted = new boolean[1];
                driver.does("offers a chain", () -> {
                    guest.add(new BufferList().writable(buffer, 1), token);
                    wanted[0] = guest.publish();
                }).does("kicks if that is wanted", () -> {
                    if (wanted[0]) {
                        device.kick(0).set();
                    }
                });
            }
            sim.actor("host").servesWhen(
                    "completes a chain", () -> !atTheHost.isEmpty(), this::complete);
            control(control);
            sim.inTheEnd("every chain came back", () -> {
                guest.poll(this);
                return returned == CHAINS;
            });
            sim.inTheEnd("the leader's loop serves the queue",
                    () -> device.kick(0).attachedTo() == leader);
            sim.inTheEnd("the device works", () -> !device.isBroken());
        }

        private void control(Control control) {
            var actor = sim.actor("control", sim.main());
            switch (control) {
                case MOVES_ONCE -> actor.does("moves the leader", () -> {
                    leader = b;
                    dataplane.follow();
                });
                case MOVES_UNDER_A_SECTION -> actor
                        .does("moves the leader", () -> {
                            leader = b;
                            dataplane.follow();
                        })
                        .does("begins a section", dataplane::sectionBegins)
                        .does("ends it", dataplane::sectionEnds);
                default -> actor
                        .does("stops", dataplane::stop)
                        .does("starts elsewhere", () -> {
                            leader = b;
                            dataplane.start(mapping());
                        });
            }
        }

        private Chain onChain(int head, Chain popped) {
            atTheHost.add(new Work(head, pump.home()));
            return new Chain();
        }

        private void complete() {
            Work work = atTheHost.remove();
            AioContext home = completions == Home.OF_THE_CHAIN ? work.home : leader;
            home.execute(() -> {
                if (!work.home.isHome() || pump.home() != work.home) {
                    sim.fail("pushed elsewhere", "popped in " + work.home.name());
                }
                pump.push(work.head, 1);
            });
        }

        @Override
        public void onUsed(long token, int writtenBytes) {
            returned++;
        }

        @Override
        public void onViolation(RingViolation violation) {
            sim.fail("the ring is wrong", violation.toString());
        }
    }

    private record Work(int head, AioContext home) {
    }

    /** A device that has nothing but one queue. */
    private static final class Device extends VirtioDevice {
        Device(AioContext main, GuestRam ram) {
            super(new VirtioDeviceConfig("device", main, ram, new GuestInterrupts(), 1, RING));
        }

        @Override
        public int deviceId() {
            return 0;
        }

        @Override
        public long offeredFeatures() {
            return VirtioFeatures.VERSION_1;
        }

        @Override
        public long readConfig(int offsetBytes, int widthBytes) {
            return 0;
        }

        @Override
        public void writeConfig(int offsetBytes, int widthBytes, long value) {
            // There is none.
        }

        @Override
        protected CompletionStage<Void> onDriverOk() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onReset() {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onQueueStart(int index, SplitVirtqueue ring) {
            return CompletableFuture.completedStage(null);
        }

        @Override
        protected CompletionStage<Void> onQueueStop(int index) {
            return CompletableFuture.completedStage(null);
        }
    }
}
