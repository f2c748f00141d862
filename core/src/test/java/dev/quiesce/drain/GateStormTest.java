package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Task;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Real threads submit, park and complete as fast as they can, while sections come and go. */
class GateStormTest {
    private static final int SECTIONS = 2_000;
    private static final int DEPTH = 4;

    @Test
    @Rule("DRAIN-12")
    @Rule("DRAIN-23")
    @Rule("DRAIN-30")
    void shouldHaveNothingRunningInAnySectionAndLoseNothing() {
        AioContext main = new AioContext("main", LoopSeams.system());
        Gate gate = new Gate("disk", main);
        List<Submitter> submitters = new ArrayList<>();
        List<IoThread> threads = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            threads.add(IoThread.start(new IoThreadConfig(
                    "io" + i, Thread::new, LoopSeams.system(), true)));
            submitters.add(new Submitter(gate, threads.get(i).context()));
        }

        Lease lease = main.acquire();
        submitters.forEach(Submitter::start);
        submitters.forEach(Submitter::awaitFirst);
        long ranInside = drain(gate, submitters);
        submitters.forEach(Submitter::stop);
        while (gate.inFlight() > 0) {
            main.poll(1_000_000);
        }
        threads.forEach(IoThread::close);
        lease.close();

        assertThat(ranInside).isZero();
        assertThat(gate.parkedCount()).isZero();
        assertThat(submitters).allSatisfy(each -> {
            assertThat(each.submitted).isEqualTo(each.completed);
            assertThat(each.parked).isPositive();
        });
    }

    /** The number of changes seen inside sections, which are read by plain loads. */
    private static long drain(Gate gate, List<Submitter> submitters) {
        long ranInside = 0;
        GateDrainable disk = new GateDrainable(gate);
        for (int i = 0; i < SECTIONS; i++) {
            DrainedSection section = DrainedSection.begin(disk);
            for (Submitter each : submitters) {
                ranInside += each.running;
            }
            section.close();
            gate.main().poll(0);
        }
        return ranInside;
    }

    /** One context with a few requests that are submitted again as soon as they complete. */
    private static final class Submitter {
        private final Lane lane;
        private final AioContext home;
        private final CountDownLatch first = new CountDownLatch(1);
        private int running;
        private long submitted;
        private long completed;
        private long parked;
        private volatile boolean stopped;

        Submitter(Gate gate, AioContext home) {
            this.home = home;
            lane = gate.lane(home, task -> run((Request) task));
        }

        void start() {
            for (int i = 0; i < DEPTH; i++) {
                Request request = new Request(this);
                home.execute(() -> submit(request));
            }
        }

        /** From then on a request is always on its way, so that every section meets some. */
        void awaitFirst() {
            try {
                assertThat(first.await(1, TimeUnit.MINUTES)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        void stop() {
            stopped = true;
        }

        private void submit(Request request) {
            submitted++;
            if (!lane.enter() && lane.parkUnlessOpen(request)) {
                parked++;
                return;
            }
            run(request);
        }

        private void run(Request request) {
            running++;
            home.defer(request);
        }

        private void complete(Request request) {
            lane.completionBegins();
            running--;
            completed++;
            first.countDown();
            if (!stopped) {
                submit(request);
            }
            lane.completionEnds();
            lane.leaveAtSliceEnd();
        }
    }

    /** Runs when it completes. */
    private static final class Request extends Task {
        private final Submitter submitter;

        Request(Submitter submitter) {
            this.submitter = submitter;
        }

        @Override
        protected void run() {
            submitter.complete(this);
        }
    }
}
