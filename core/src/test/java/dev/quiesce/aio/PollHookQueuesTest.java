package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a hook queues at home, when polling mode is left for a sleep, a close, an end, a lease. */
class PollHookQueuesTest {
    private static final long MAX_NANOS = 10_000;

    private final FakeLoop loop = new FakeLoop("unused");
    private final List<String> reported = new ArrayList<>();
    private Runnable onError = () -> { };
    private final AioContext context = new AioContext("polled", loop.seams().withErrors(
            (where, site, cause) -> {
                reported.add(String.valueOf(cause.getMessage()));
                onError.run();
            }));
    private final EventNotifier event = new EventNotifier("ring");
    private final Task task = loop.logs("task");
    private final Hook hook = new Hook();
    private Lease lease = context.acquire();

    @Test
    @Rule("AIO-34")
    void shouldNotSleepOnATaskThatAHookHasQueued() {
        beginPolling();
        hook.whenEnded = () -> context.post(task);

        assertThat(context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(hook.ends).isPositive();
        assertThat(loop.log).containsExactly("task");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-34")
    void shouldNotSleepThroughATimerThatAHookHasArmed() {
        beginPolling();
        LoopTimer timer = new LoopTimer(context, "timer", () -> loop.log.add("timer"));
        hook.whenEnded = () -> timer.armAt(loop.clock.nowNanos + 1_000);

        assertThat(context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.log).containsExactly("timer");
        assertThat(loop.parker.parks).containsExactly(1_000L);
    }

    @Test
    @Rule("AIO-34")
    void shouldNotSleepOnATaskThatIsQueuedForTheFailureOfAHook() {
        beginPolling();
        hook.whenEnded = () -> {
            throw new IllegalStateException("broken");
        };
        onError = () -> context.post(task);

        assertThat(context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(reported).containsExactly("broken");
        assertThat(loop.log).containsExactly("task");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    void shouldNotCloseOverATaskThatAHookQueuesMeanwhile() {
        beginPolling();
        hook.whenEnded = () -> context.post(task);

        assertThatIllegalStateException().isThrownBy(context::close)
                .withMessageContaining(task.describe());

        assertThat(context.poll(0)).isTrue();
        assertThat(loop.log).containsExactly("task");
        event.detach();
        context.close();
        assertThat(context.isGone()).isTrue();
        assertThat(reported).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    @Rule("AIO-32")
    void shouldNotCloseOverWhatCameBeforeNotificationsWereBack() {
        beginPolling();
        hook.whenEnded = () -> hook.available = true;

        assertThatIllegalStateException().isThrownBy(context::close)
                .withMessageContaining("task ring");

        assertThat(context.poll(0)).isTrue();
        assertThat(loop.log).containsExactly("served");
    }

    @Test
    @Rule("AIO-75")
    void shouldRefuseWhatASourceQueuesOnceTheCloseIsDecided() {
        List<String> refused = new ArrayList<>();
        context.attachSource(new LeavingSource(() -> {
            assertThatThrownBy(() -> context.post(task)).isInstanceOf(IllegalStateException.class)
                    .satisfies(refusal -> refused.add(String.valueOf(refusal.getMessage())));
            context.close();
        }));

        context.close();

        assertThat(refused).singleElement().asString().contains("AIO-75");
        assertThat(context.isGone()).isTrue();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("IOT-6")
    void shouldReportWhatAHookQueuesAsTheLoopEnds() {
        beginPolling();
        hook.whenEnded = () -> context.post(task);

        context.end("the loop has ended");

        assertThat(hook.ends).isPositive();
        assertThat(reported).anySatisfy(
                message -> assertThat(message).contains("still had task " + task.describe()));
    }

    @Test
    @Rule("AIO-32")
    void shouldRunInTheNextOwnersFirstTurnWhatAHookQueuesAsTheLeaseIsGivenBack() {
        beginPolling();
        hook.whenEnded = () -> {
            hook.available = true;
            context.post(task);
        };

        lease.close();
        lease = context.acquire();

        assertThat(context.poll(Long.MAX_VALUE)).isTrue();
        assertThat(loop.log).containsExactlyInAnyOrder("task", "served");
        assertThat(loop.parker.parks).isEmpty();
    }

    /** Leaves the context in polling mode, with nothing queued and nothing noted. */
    private void beginPolling() {
        event.attach(context, this::serve, hook);
        context.setPolling(new PollParameters(MAX_NANOS, 0, 0));
        context.poll(0);
        for (long waitNanos : new long[] {MAX_NANOS - 1, 2_000, 2_000}) {
            loop.parker.asleep = () -> {
                loop.clock.nowNanos += waitNanos;
                event.set();
            };
            context.poll(Long.MAX_VALUE);
        }
        loop.parker.whilePolling = () -> {
            loop.parker.whilePolling = () -> { };
            hook.available = true;
        };
        loop.parker.asleep = null;
        context.poll(Long.MAX_VALUE);
        assertThat(context.sleep().poller().hasBegun()).isTrue();
        loop.parker.parks.clear();
        loop.log.clear();
        hook.ends = 0;
    }

    private void serve() {
        hook.available = false;
        loop.log.add("served");
    }

    /** A ring that a test makes do something when it is told that polling ends. */
    private static final class Hook implements PollHook {
        boolean available;
        int ends;
        Runnable whenEnded = () -> { };

        @Override
        public boolean poll() {
            return available;
        }

        @Override
        public void pollEnds() {
            ends++;
            Runnable now = whenEnded;
            whenEnded = () -> { };
            now.run();
        }
    }

    /** A source that does something when it is let go. */
    private record LeavingSource(Runnable whenClosed) implements ReadinessSource {
        @Override
        public void sleep(long maxNanos) {
            throw new AssertionError("nothing sleeps in this");
        }

        @Override
        public void wakeUp() {
        }

        @Override
        public void deliver() {
        }

        @Override
        public void describe(List<String> out) {
        }

        @Override
        public void close() {
            whenClosed.run();
        }
    }
}
