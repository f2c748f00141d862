package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.WorkItem;
import dev.quiesce.aio.WorkerPool;
import dev.quiesce.aio.Workers;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who may call what: the rows of the table of threads, each tried from a foreign thread. */
class ThreadCategoriesTest {
    private static final long LENGTH_BYTES = 1 << 16;
    private static final String FOREIGN = "a foreign thread";

    private final Machine machine = new Machine();
    private final BlockNode node = machine.node("node", new NullDriver(LENGTH_BYTES));
    private final BlockBackend backend = machine.movableBackend("disk", node, machine.main);

    @AfterEach
    void close() {
        machine.close();
    }

    @Test
    @Rule("TH-1")
    @Rule("TH-3")
    @Rule("TH-4")
    @Rule("TH-5")
    @Rule("TH-8")
    @Rule("TH-11")
    void shouldReachALoopFromAnyThread() {
        List<String> ran = new ArrayList<>();

        allowed(() -> {
            AioContext other = new AioContext("other", machine.seams);
            assertThat(other.name()).isEqualTo("other");
            machine.a.wake();
            machine.a.execute(() -> ran.add("posted"));
            BottomHalf half = new BottomHalf(machine.a, "half", () -> ran.add("half"));
            half.schedule();
            BottomHalf gone = new BottomHalf(machine.a, "gone", () -> ran.add("gone"));
            gone.schedule();
            gone.cancel();
            gone.delete();
            LoopTimer timer = new LoopTimer(machine.a, "timer", () -> ran.add("timer"));
            timer.armAt(Long.MIN_VALUE);
            LoopTimer cancelled = new LoopTimer(machine.a, "never", () -> ran.add("never"));
            cancelled.armAt(Long.MAX_VALUE);
            cancelled.cancel();
        });
        machine.settle();

        assertThat(ran).containsExactly("posted", "half", "timer");
    }

    @Test
    @Rule("TH-9")
    void shouldChangeParametersOfALoopAndAPoolFromAnyThread() {
        PollParameters polling = new PollParameters(7_000, 3, 2);
        List<String> log = new ArrayList<>();
        DeferredCall publish = new DeferredCall() {
            @Override
            protected void run() {
                log.add("publish");
            }
        };
        try (WorkerPool pool = Workers.pool(ThreadCategoriesTest::daemon, 0, 1)) {
            allowed(() -> machine.a.setPolling(polling));
            allowed(() -> machine.a.setBatchMax(1));
            allowed(() -> pool.resize(2, 3));

            assertThat(machine.a.polling()).isEqualTo(polling);
            for (int i = 0; i < 3; i++) {
                machine.a.execute(() -> machine.a.deferCall(publish));
            }
            machine.settle();
            assertThat(log).containsExactly("publish", "publish", "publish");
            assertThat(pool.min()).isEqualTo(2);
            assertThat(pool.max()).isEqualTo(3);
            assertThat(pool.threads()).isEqualTo(2);
            allowed(pool::close);
            assertThat(pool.threads()).isZero();
        }
    }

    @Test
    @Rule("TH-18")
    void shouldMakeChangeAndCloseAnIoThreadOnAnyThreadButItsOwn() throws InterruptedException {
        List<IoThread> started = new ArrayList<>();
        List<Throwable> refusals = new ArrayList<>();
        IoThread.Properties wanted = IoThread.Properties.defaults().withBatchMax(5).withPool(1, 2);
        allowed(() -> started.add(IoThread.start(IoThreadConfig.withOwnPool(
                "io", ThreadCategoriesTest::daemon, machine.seams))));
        IoThread ioThread = started.get(0);

        allowed(() -> ioThread.change(wanted));
        assertThat(ioThread.properties()).isEqualTo(wanted);
        CountDownLatch tried = new CountDownLatch(1);
        ioThread.context().execute(() -> {
            ioThread.change(wanted.withBatchMax(6));
            refusals.add(catchThrowable(ioThread::close));
            tried.countDown();
        });
        tried.await();

        assertThat(ioThread.properties().batchMax()).as("its own may change it").isEqualTo(6);
        assertThat(refusals).singleElement().isInstanceOf(IllegalStateException.class)
                .asString().contains("IoThread io ", "wait for itself", "thread daemon", "IOT-5");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.RUNNING);
        allowed(ioThread::close);
        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
    }

    @Test
    @Rule("TH-2")
    @Rule("TH-6")
    @Rule("TH-10")
    @Rule("TH-15")
    @Rule("TH-16")
    @Rule("TH-17")
    @Rule("TH-85")
    void shouldRefuseWhatIsForHomeOnAnyOtherThread() {
        WorkItem item = new NoWork();

        refused(() -> machine.a.poll(0));
        refused(() -> new EventNotifier("kick").attach(machine.a, () -> { }));
        refused(() -> ControlWait.until(machine.main, new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return true;
            }

            @Override
            public void describe(WaitReport out) {
                // It is done.
            }
        }));
        refused(() -> machine.a.workers().submit(machine.a, item));
        refused(() -> machine.a.deferCall(new NoCall()));
        machine.a.workers().submit(machine.a, item);
        refused(() -> machine.a.workers().cancel(item));
    }

    @Test
    @Rule("TH-22")
    @Rule("TH-24")
    @Rule("TH-27")
    @Rule("TH-28")
    @Rule("TH-36")
    @Rule("TH-38")
    @Rule("TH-85")
    void shouldRefuseChangesOfTheGraphToAllButControl() {
        BlockNode spare = machine.node("spare", new NullDriver(LENGTH_BYTES));

        refused(() -> machine.graph.add("late", new NullDriver(LENGTH_BYTES)));
        refused(() -> machine.graph.remove(spare));
        refused(machine.graph::edit);
        refused(() -> machine.graph.setContext(node, machine.a));
        refused(machine.graph::nodes);
        refused(() -> machine.graph.find("node"));
        var edit = machine.graph.edit()
                .insertFilter("filter", new PassthroughDriver(), node);
        refused(() -> machine.graph.applyBlocking(edit));

        assertThat(machine.graph.nodes()).containsExactly(node, spare);
        assertThat(node.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("TH-41")
    @Rule("TH-42")
    @Rule("TH-43")
    @Rule("TH-49")
    @Rule("TH-50")
    @Rule("TH-52")
    @Rule("TH-54")
    @Rule("TH-56")
    @Rule("TH-65")
    @Rule("TH-67")
    @Rule("TH-74")
    @Rule("TH-85")
    @Rule("CONV-4")
    void shouldRefuseControlOfABackendToAllButControl() {
        BackendListener listener = new BackendListener() { };

        refused(() -> DrainedSection.begin(backend));
        refused(backend::quiesce);
        refused(node::quiesce);
        refused(() -> machine.backend("late", node, machine.main));
        refused(() -> BlockBackend.create(
                machine.graph, BackendConfig.named("empty"), null, machine.main));
        refused(backend::close);
        refused(() -> backend.insert(node));
        refused(backend::removeRoot);
        refused(() -> backend.replace(node));
        refused(() -> backend.addListener(listener));
        refused(() -> backend.removeListener(listener));
        refused(() -> backend.setContext(machine.a));
        try (DrainedSection section = DrainedSection.begin(backend)) {
            refused(section::close);
            assertThat(backend.isQuiesced()).isTrue();
        }

        assertThat(backend.isQuiesced()).isFalse();
        assertThat(backend.root()).isSameAs(node);
    }

    @Test
    @Rule("TH-41")
    @Rule("TH-42")
    @Rule("TH-49")
    @Rule("TH-50")
    @Rule("TH-52")
    @Rule("TH-54")
    @Rule("TH-65")
    void shouldAskForControlFromAnyThreadByTheAsynchronousForms() {
        finish(() -> DrainedSection.beginAsync(machine.main, backend)
                .thenCompose(DrainedSection::closeAsync));
        finish(() -> backend.setContextAsync(machine.a));
        assertThat(backend.context()).isSameAs(machine.a);
        finish(backend::removeRootAsync);
        finish(() -> backend.insertAsync(node));
        assertThat(backend.root()).isSameAs(node);
        finish(backend::closeAsync);
        finish(() -> BlockBackend.createAsync(
                machine.graph, BackendConfig.named("next"), node, machine.main));
    }

    @Test
    @Rule("TH-37")
    @Rule("TH-48")
    @Rule("TH-53")
    @Rule("TH-57")
    @Rule("TH-63")
    @Rule("TH-64")
    @Rule("TH-68")
    @Rule("TH-75")
    @Rule("TH-76")
    void shouldTellAnyThreadHowThingsStand() {
        allowed(() -> {
            assertThat(node.context()).isSameAs(machine.main);
            assertThat(backend.name()).isEqualTo("disk");
            assertThat(backend.root()).isSameAs(node);
            assertThat(backend.context()).isSameAs(machine.main);
            assertThat(backend.lengthBytes()).isEqualTo(LENGTH_BYTES);
            assertThat(backend.limits().readOnly()).isFalse();
            assertThat(backend.stats().requests()).isZero();
            assertThat(backend.isQuiesced()).isFalse();
            var hold = backend.gate().hold("foreign", machine.main);
            assertThat(backend.gate().inFlight()).isEqualTo(1);
            hold.close();
            assertThat(backend.gate().inFlight()).isZero();
        });
    }

    @Test
    @Rule("TH-46")
    @Rule("TH-60")
    @Rule("TH-61")
    @Rule("TH-79")
    @Rule("TH-81")
    @Rule("TH-82")
    void shouldRunEachRequestAtHomeThoughSeveralContextsUseOneBackend() {
        List<String> calls = new ArrayList<>();
        BlockNode noting = machine.node("noting", new Instant() {
            @Override
            public void submit(BlockRequest request, NodeAccess access) {
                calls.add("driver at home in " + request.home().name() + ": "
                        + request.home().isHome());
                request.complete(BlockStatus.OK, null);
            }
        });
        BlockBackend shared = machine.backend("shared", noting, machine.main);
        Recorder inA = new Recorder(machine.a);
        Recorder inB = new Recorder(machine.b);
        Port a = shared.port(machine.a);

        refused(() -> a.submit(Machine.read(inA)));
        a.submit(Machine.read(inA));
        shared.port(machine.b).submit(Machine.read(inB));
        machine.settle();

        assertThat(calls).containsExactly("driver at home in a: true", "driver at home in b: true");
        assertThat(inA.statuses).containsExactly(BlockStatus.OK);
        assertThat(inB.statuses).containsExactly(BlockStatus.OK);
        BlockRequest parked = Machine.read(inA);
        try (DrainedSection section = DrainedSection.begin(shared)) {
            a.submit(parked);
            refused(parked::cancel);
            assertThat(a.parkedCount()).isEqualTo(1);
            assertThat(section.isSettled()).isTrue();
        }
    }

    @Test
    @Rule("TH-80")
    void shouldRefuseChangesOfTheGraphFromADriversHook() {
        List<String> thrown = new ArrayList<>();
        BlockNode hooked = machine.node("hooked", new Instant() {
            @Override
            public void drainBegin() {
                assertThat(machine.main.isHome()).isTrue();
                assertThatThrownBy(() -> backend.setContext(machine.a))
                        .isInstanceOf(IllegalStateException.class)
                        .satisfies(e -> thrown.add(e.getMessage()));
            }
        });
        BlockBackend above = machine.backend("above", hooked, machine.main);

        DrainedSection.begin(hooked).close();

        assertThat(above.isQuiesced()).isFalse();
        assertThat(thrown).singleElement().asString().contains("from within a hook");
        assertThat(backend.context()).isSameAs(machine.main);
    }

    private static Thread daemon(Runnable run) {
        Thread thread = new Thread(run, "daemon");
        thread.setDaemon(true);
        return thread;
    }

    private <T> void finish(Supplier<CompletionStage<T>> operation) {
        List<CompletionStage<T>> stage = new ArrayList<>();
        allowed(() -> stage.add(operation.get()));
        machine.finish(stage.get(0));
    }

    private static void allowed(ThrowingCallable call) {
        assertThatCode(() -> throwOn(call)).doesNotThrowAnyException();
    }

    /** Nothing happens but an exception that names the caller. */
    private static void refused(ThrowingCallable call) {
        assertThatThrownBy(() -> throwOn(call)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(FOREIGN);
    }

    private static void throwOn(ThrowingCallable call) throws Throwable {
        Throwable[] thrown = new Throwable[1];
        Thread thread = new Thread(() -> {
            try {
                call.call();
            } catch (Throwable e) {
                thrown[0] = e;
            }
        }, FOREIGN);
        thread.start();
        thread.join();
        @Nullable Throwable cause = thrown[0];
        if (cause != null) {
            throw cause;
        }
    }

    /** Completes what it is given at once. */
    private static class Instant implements BlockDriver {
        @Override
        public String type() {
            return "instant";
        }

        @Override
        public BlockLimits limits() {
            return BlockLimits.unlimited();
        }

        @Override
        public long lengthBytes() {
            return LENGTH_BYTES;
        }

        @Override
        public boolean concurrent() {
            return true;
        }

        @Override
        public void submit(BlockRequest request, NodeAccess access) {
            request.complete(BlockStatus.OK, null);
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }

    private static final class NoWork extends WorkItem {
        @Override
        protected void work() {
            // Nothing blocks.
        }

        @Override
        protected void run() {
            // Nobody waits.
        }

        @Override
        public String describe() {
            return "no work";
        }
    }

    private static final class NoCall extends DeferredCall {
        @Override
        protected void run() {
            throw new AssertionError("refused");
        }
    }
}
