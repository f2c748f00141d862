package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.RunReport;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.VirtualClock;
import org.junit.jupiter.api.Test;

/** The control thread polls for a device that is quiet meanwhile, on the simulation's clock. */
class PollingSimulationTest {
    private static final int EVENTS = 4;
    private static final int SEEDS = 2_000;
    private static final PollParameters FIVE_LOOKS = new PollParameters(5_000, 0, 2);

    @Test
    @Rule("AIO-32")
    @Rule("AIO-38")
    void shouldServeEveryEventOfADeviceThatIsQuietWhileItIsPolled() {
        int polled = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            boolean[] began = new boolean[1];
            RunReport report = Simulation.run(sim -> build(sim, true, began), seed);
            assertThat(report.isFailed()).as(report.toString()).isFalse();
            polled += began[0] ? 1 : 0;
        }

        assertThat(polled).as("runs that entered polling mode").isGreaterThan(SEEDS / 2);
    }

    @Test
    void shouldFindADeviceThatIsQuietAndDoesNotAnswer() {
        boolean found = false;
        for (int seed = 0; seed < SEEDS && !found; seed++) {
            RunReport report = Simulation.run(
                    sim -> build(sim, false, new boolean[1]), seed);
            found = report.isFailed() && report.kind().equals("stuck");
        }

        assertThat(found).isTrue();
    }

    private static void build(Simulation sim, boolean sees, boolean[] began) {
        AioContext main = sim.main();
        AioContext io = sim.context("io");
        Device device = new Device(io, sees, began);
        sim.given(main, () -> {
            main.setPolling(FIVE_LOOKS);
            device.doorbell.attach(main, device::serve, device);
        });
        sim.actor("device", io).does("starts", () -> io.execute(() -> device.produce(sim.clock())));
        sim.actor("control", main).does("waits", () ->
                ControlWait.until(main, new ControlWait.Target() {
                    @Override
                    public boolean isDone() {
                        return device.served == EVENTS;
                    }

                    @Override
                    public void describe(WaitReport out) {
                        out.outstanding("device", io, EVENTS - device.served, false);
                    }
                }));
    }

    private static final class Device implements PollHook {
        private static final long EVERY_NANOS = 2_500;

        final EventNotifier doorbell = new EventNotifier("doorbell");
        final AioContext io;
        final boolean sees;
        final boolean[] began;
        int produced;
        int served;
        boolean quiet;

        Device(AioContext io, boolean sees, boolean[] began) {
            this.io = io;
            this.sees = sees;
            this.began = began;
        }

        /** Makes an event visible, and in a step of its own looks whether it has to ring. */
        void produce(VirtualClock clock) {
            clock.advance(EVERY_NANOS);
            produced++;
            io.execute(() -> {
                if (!quiet) {
                    doorbell.set();
                }
                if (produced < EVENTS) {
                    io.execute(() -> produce(clock));
                }
            });
        }

        void serve() {
            served = produced;
        }

        @Override
        public boolean poll() {
            return sees && served < produced;
        }

        @Override
        public void pollBegins() {
            began[0] = true;
            quiet = true;
        }

        @Override
        public void pollEnds() {
            quiet = false;
        }
    }
}
