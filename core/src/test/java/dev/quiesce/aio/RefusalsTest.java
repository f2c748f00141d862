package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.aio.watch.Watchdog;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every refusal of package aio, one after the other: it comes at once, and says where, on which
 * thread and by which rule. That nothing has changed is told by the tests of each class.
 */
@SuppressWarnings("NullAway") // a factory that makes no thread is one of the points
class RefusalsTest {
    private static final Pattern RULE = Pattern.compile("\\(((AIO|IOT|DRAIN)-\\d+\\w?)\\)");
    private static final ThreadFactory NONE = run -> null;

    private final List<DynamicTest> tests = new ArrayList<>();
    private final FakeLoop loop = new FakeLoop("io7");
    private final AioContext context = loop.context;
    private final LoopSeams seams = loop.seams();
    private final Thread me = Thread.currentThread();
    private final String myName = me.getName();

    @BeforeEach
    void callTheThread() {
        me.setName("caller9");
    }

    @AfterEach
    void callTheThreadAsBefore() {
        me.setName(myName);
    }

    @TestFactory
    @Rule("AIO-39")
    @Rule("AIO-40")
    @Rule("AIO-57")
    @Rule("DRAIN-9")
    List<DynamicTest> shouldSayWhereWhoAndWhyAPollOrAWaitIsRefused() {
        ControlWait.Target done = ControlWaitTest.target(() -> true, out -> { });
        refused("poll for a negative time", "context io7", "AIO-40", () -> context.poll(-1));
        elsewhere("poll on a wrong thread", "context io7", "AIO-39", () -> context.poll(0));
        elsewhere("wait on a wrong thread", "context io7", "AIO-62",
                () -> ControlWait.until(context, done));
        inHook("poll in a hook", "DRAIN-9", () -> context.poll(0));
        inHook("wait in a hook", "DRAIN-9", () -> ControlWait.until(context, done));
        reported("poll in a condition", "AIO-57", () -> context.whenDone(
                () -> context.poll(0), loop.logs("waiter")));
        refused("second source", "context io7", "AIO-21", () -> {
            context.attachSource(new NoSource());
            context.attachSource(new NoSource());
        });
        refused("batch of less than nothing", "context io7", "IOT-1",
                () -> context.setBatchMax(-1));
        refused("polling for less than nothing", "maxNanos", "IOT-1",
                () -> new PollParameters(-1, 0, 0));
        return tests;
    }

    @TestFactory
    @Rule("AIO-62")
    @Rule("AIO-75")
    List<DynamicTest> shouldSayWhereWhoAndWhyAnEndIsRefused() {
        refused("lease twice", "context io7", "AIO-62", () -> {
            Lease lease = context.acquire();
            lease.close();
            lease.close();
        });
        refused("lease out of order", "context io7", "AIO-62", () -> {
            Lease outer = context.acquire();
            try (Lease inner = context.acquire()) {
                outer.close();
            } finally {
                outer.close();
            }
        });
        elsewhere("lease of another", "context io7", "AIO-62", loop::close);
        elsewhere("context that is owned", "context io7", "AIO-62", context::acquire);
        elsewhere("context of another", "context io7", "AIO-62", context::close);
        reported("lease from inside", "AIO-62", inside(loop::close));
        reported("context from inside", "AIO-75", inside(context::close));
        refused("context with work", "context io7", "AIO-20", () -> {
            context.defer(loop.logs("left"));
            try {
                context.close();
            } finally {
                loop.poll();
            }
        });
        refused("pool by its worker", "worker caller9", "AIO-74", () -> {
            WorkerPool pool = new WorkerPool(named("caller9"), 1, 1, seams.clock());
            WorkItem item = item(pool::close);
            pool.submit(context, item);
            Spin.until(() -> loop.poll() && loop.log.contains("item"), "the item comes home");
            pool.close();
            throw item.failure();
        });
        ioThread("IoThread by itself", "IOT-5", io -> CompletableFuture
                .runAsync(io::close, io.context()).join());
        return tests;
    }

    @TestFactory
    @Rule("AIO-75")
    List<DynamicTest> shouldSayWhereWhoAndWhyAClosedContextTakesNothing() {
        AioContext closed = new AioContext("io8", seams);
        Lease lease = closed.acquire();
        EventNotifier event = new EventNotifier("event");
        BottomHalf half = new BottomHalf(closed, "half", () -> { });
        half.delete();
        closed.poll(0);
        closed.close();
        closed("post", () -> closed.post(loop.logs("task")));
        closed("post of many", () -> closed.postAll(new Task[] {loop.logs("task")}, 1));
        closed("outer-only post", () -> closed.postOuter(loop.logs("task")));
        closed("code", () -> closed.execute(() -> { }));
        closed("defer", () -> closed.defer(loop.logs("task")));
        closed("deferred call", () -> closed.deferCall(loop.logsCall("call")));
        closed("settle", () -> closed.deferSettle(loop.logsCall("settle")));
        closed("condition", () -> closed.whenDone(() -> true, loop.logs("task")));
        closed("source", () -> closed.attachSource(new NoSource()));
        closed("poll", () -> closed.poll(0));
        closed("lease", closed::acquire);
        closed("timer", () -> new LoopTimer(closed, "timer", () -> { }).armAt(1));
        closed("notifier", () -> event.attach(closed, () -> { }));
        closed("item", () -> Workers.inline().submit(closed, item(() -> { })));
        closed("channel", () -> ChannelHandler.attach(
                closed, "pipe", Pipe.open().source(), () -> { }, null));
        closed("lease, when it is given back", () -> {
            lease.close();
            closed.acquire();
        });
        closed("poll, when it is given back", () -> closed.poll(0));
        elsewhere("post from elsewhere", "context io8", "AIO-75",
                () -> closed.post(loop.logs("task")));
        return tests;
    }

    @TestFactory
    @Rule("AIO-21")
    List<DynamicTest> shouldSayWhereWhoAndWhyAHandlerIsRefused() throws IOException {
        EventNotifier event = new EventNotifier("event");
        event.attach(context, () -> { });
        refused("notifier twice", "io7", "AIO-21", () -> event.attach(context, () -> { }));
        Pipe.SourceChannel gone = Pipe.open().source();
        gone.close();
        handler("closed channel", gone, () -> { });
        handler("channel that blocks", Pipe.open().source(), () -> { });
        Pipe.SourceChannel open = Pipe.open().source();
        open.configureBlocking(false);
        handler("no callback", open, null);
        refused("handler of a channel that was closed since", "context io7", "AIO-21", () -> {
            Pipe.SourceChannel channel = Pipe.open().source();
            channel.configureBlocking(false);
            ChannelHandler handler = ChannelHandler.attach(
                    context, "pipe", channel, () -> { }, null);
            channel.close();
            handler.update(() -> { }, null);
        });
        refused("handler that was detached", "context io7", "AIO-21", () -> {
            ChannelHandler handler = ChannelHandler.attach(context, "pipe", open, () -> { }, null);
            handler.detach();
            handler.update(() -> { }, null);
        });
        return tests;
    }

    @TestFactory
    @Rule("AIO-69")
    @Rule("AIO-71")
    @Rule("AIO-74")
    List<DynamicTest> shouldSayWhereWhoAndWhyWorkIsRefused() {
        WorkItem item = item(() -> { });
        refused("item in use", "context io7", "AIO-71", "queued", () -> {
            item.submitted(context);
            item.submitted(context);
        });
        elsewhere("item on a wrong thread", "context io7", "AIO-62",
                () -> item(() -> { }).submitted(context));
        refused("item of a closed pool", "context io7", "AIO-74", () -> {
            WorkerPool pool = new WorkerPool(Thread::new, 0, 1, seams.clock());
            pool.close();
            pool.submit(context, item(() -> { }));
        });
        refused("bounds of a closed pool", "pool", "AIO-74", () -> {
            WorkerPool pool = new WorkerPool(Thread::new, 0, 1, seams.clock());
            pool.close();
            pool.resize(0, 2);
        });
        refused("bounds of a pool", "3 to 2", "AIO-69",
                () -> new WorkerPool(Thread::new, 3, 2, seams.clock()));
        refused("factory of a pool", "pool", "AIO-69",
                () -> new WorkerPool(NONE, 1, 1, seams.clock()));
        return tests;
    }

    @TestFactory
    @Rule("AIO-54")
    List<DynamicTest> shouldSayWhereWhoAndWhyATimeIsRefused() {
        MachineClock clock = MachineClock.driven("clock5", Clock.Kind.VIRTUAL);
        refused("clock before its begin", "clock clock5", "AIO-54", () -> clock.set(-1));
        refused("clock backward", "clock clock5", "AIO-54", () -> clock.advance(-1));
        refused("clock too far", "clock clock5", "AIO-54", () -> {
            clock.set(2);
            clock.advance(Long.MAX_VALUE);
        });
        return tests;
    }

    @TestFactory
    @Rule("IOT-1")
    @Rule("IOT-3")
    @Rule("IOT-7")
    @Rule("IOT-8")
    List<DynamicTest> shouldSayWhereWhoAndWhyAnIoThreadIsRefused() {
        refused("factory of an IoThread", "IoThread io8", "IOT-3",
                () -> IoThread.start(new IoThreadConfig("io8", NONE, seams, true)));
        refused("thread that does not run the loop", "IoThread io8", "IOT-3",
                () -> IoThread.start(new IoThreadConfig("io8", run -> new Thread(), seams, true)));
        refused("batch of less than nothing", "batch", "IOT-1",
                () -> IoThread.Properties.defaults().withBatchMax(-1));
        ioThread("pool that it has not", "IOT-2", io -> io.change(
                io.properties().withPool(1, 2)));
        ioThread("change after the end", "IOT-7", io -> {
            io.close();
            io.change(io.properties());
        });
        refused("two of one name", "IoThread 'io8'", "IOT-8", () -> {
            try (IoThread.Group machine = new IoThread.Group()) {
                IoThreadConfig config =
                        new IoThreadConfig("io8", named("caller9"), LoopSeams.system(), true);
                machine.start(config);
                machine.start(config);
            }
        });
        return tests;
    }

    @TestFactory
    List<DynamicTest> shouldSayWhoAsksForAWatchThatCannotBe() {
        test("bound of a watchdog", () -> assertThat(catchThrowable(
                () -> new Watchdog(() -> 0, -5, stall -> { })))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("watchdog", "-5 ns", "caller9"));
        Watchdog dog = new Watchdog(() -> 0, 5, stall -> { });
        test("period of a patrol", () -> assertThat(catchThrowable(() -> dog.patrol(NONE, -6)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("patrol", "-6 ns", "caller9"));
        test("factory of a patrol", () -> assertThat(catchThrowable(() -> dog.patrol(NONE, 6)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("patrol", "caller9"));
        test("names that nobody asked for", () -> assertThat(catchThrowable(
                () -> context.watched().forgetCallbacks()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("loop io7", "caller9"));
        return tests;
    }

    private void handler(String name, Pipe.SourceChannel channel, Runnable onReadable) {
        refused(name, "context io7", "AIO-21",
                () -> ChannelHandler.attach(context, "pipe", channel, onReadable, null));
    }

    private void closed(String name, ThrowingCallable call) {
        refused(name, "context io8", "AIO-75", call);
    }

    private void inHook(String name, String rule, ThrowingCallable call) {
        refused(name, "context io7", rule, () -> {
            ControlWait.enterHook(context);
            try {
                call.call();
            } finally {
                ControlWait.leaveHook(context);
            }
        });
    }

    private void elsewhere(String name, String where, String rule, ThrowingCallable call) {
        test(name, () -> {
            Throwable[] thrown = new Throwable[1];
            FakeLoop.elsewhere(() -> thrown[0] = catchThrowable(call));
            check(thrown[0], where, "elsewhere", rule);
        });
    }

    /** What the call leads to in the next turn is told to the error handler. */
    private void reported(String name, String rule, ThrowingCallable call) {
        test(name, () -> {
            loop.errors.clear();
            call.call();
            loop.poll();
            assertThat(loop.errors).hasSize(1);
            check(loop.errors.get(0), "context io7", "caller9", rule);
        });
    }

    private ThrowingCallable inside(Runnable what) {
        return () -> context.defer(FakeLoop.task("inside", what));
    }

    private void ioThread(String name, String rule, Consumer<IoThread> call) {
        refused(name, "IoThread io8", rule, () -> {
            try (IoThread io = IoThread.start(new IoThreadConfig(
                    "io8", named("caller9"), LoopSeams.system(), true))) {
                call.accept(io);
            } catch (CompletionException e) {
                throw e.getCause();
            }
        });
    }

    private void refused(String name, String where, String rule, ThrowingCallable call) {
        refused(name, where, rule, "", call);
    }

    private void refused(
            String name, String where, String rule, String more, ThrowingCallable call) {
        test(name, () -> {
            Throwable thrown = catchThrowable(call);
            check(thrown, where, "caller9", rule);
            assertThat(thrown).hasMessageContaining(more);
        });
    }

    private void test(String name, ThrowingCallable body) {
        tests.add(DynamicTest.dynamicTest(name, body::call));
    }

    private static void check(Throwable thrown, String where, String who, String rule) {
        assertThat(thrown).isInstanceOfAny(
                IllegalStateException.class, IllegalArgumentException.class);
        assertThat(thrown.getMessage()).contains(where, who, rule).containsPattern(RULE);
    }

    private static ThreadFactory named(String name) {
        return run -> new Thread(run, name);
    }

    private WorkItem item(Runnable work) {
        return new WorkItem() {
            @Override
            protected void work() {
                work.run();
            }

            @Override
            protected void run() {
                loop.log.add("item");
            }
        };
    }

    /** Never finds anything. */
    private static final class NoSource implements ReadinessSource {
        @Override
        public void sleep(long maxNanos) {
            throw new AssertionError("no turn of this test sleeps");
        }

        @Override
        public void wakeUp() {
            // It does not sleep.
        }

        @Override
        public void deliver() {
            // There is nothing.
        }

        @Override
        public void describe(List<String> out) {
            // Nothing is attached.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }
}
