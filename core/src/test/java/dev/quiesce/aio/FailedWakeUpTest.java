package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** There is no memory to wake a loop that sleeps: it is woken for whoever asks next. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FailedWakeUpTest {
    private final FakeLoop loop = new FakeLoop("unused");
    private final AioContext context = new AioContext("asleep", loop.seams());
    private final BottomHalf half =
            new BottomHalf(context, "half", () -> loop.log.add("half"));
    private final EventNotifier event = new EventNotifier("event");

    @Test
    @Rule("AIO-33")
    void shouldWakeTheLoopForWhoPostsAfterAWakeUpThatFoundNoMemory() {
        context.notify.arm();
        loop.parker.whileUnparking = () -> {
            loop.parker.whileUnparking = () -> loop.log.add("woken");
            throw new OutOfMemoryError("no room to wake");
        };

        assertThatThrownBy(() -> context.post(loop.logs("first"))).hasMessage("no room to wake");
        context.post(loop.logs("second"));
        context.post(loop.logs("third"));
        takeTurn();

        assertThat(loop.log).containsExactly("woken", "first", "second", "third");
    }

    @Test
    @Rule("AIO-33")
    void shouldWakeTheLoopForWhoAsksAfterAWakeUpThatFoundNoMemory() {
        loop.parker.asleep = () -> elsewhere(() -> {
            loop.parker.whileUnparking = () -> {
                throw new OutOfMemoryError("no room to wake");
            };
            assertThatThrownBy(context::wake).hasMessage("no room to wake");
            loop.parker.whileUnparking = () -> loop.log.add("woken");
            context.wake();
        });

        try (Lease lease = context.acquire()) {
            context.poll(1);
        }
        context.wake();

        assertThat(loop.log).containsExactly("woken");
    }

    @Test
    @Rule("AIO-2")
    @Rule("AIO-33")
    void shouldWakeTheLoopForASecondAskThatFindsTheFirstOneQueued() {
        failsOnce();

        assertThatThrownBy(half::schedule).hasMessage("no room to wake");
        half.schedule();
        half.schedule();
        takeTurn();

        assertThat(loop.log).containsExactly("woken", "half");
    }

    @Test
    @Rule("AIO-13")
    @Rule("AIO-33")
    void shouldWakeTheLoopForADeletionThatFindsAnAskQueued() {
        failsOnce();

        assertThatThrownBy(half::schedule).hasMessage("no room to wake");
        half.delete();
        takeTurn();

        assertThat(loop.log).containsExactly("woken");
        assertThat(context.remains().registry()).isEmpty();
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-33")
    void shouldWakeTheLoopForAnEventThatIsSetAlready() {
        attach();
        failsOnce();

        assertThatThrownBy(event::set).hasMessage("no room to wake");
        event.set();
        event.set();
        takeTurn();

        assertThat(loop.log).containsExactly("woken", "event");
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-33")
    void shouldWakeTheLoopForAnEventThatIsSetAgainAndWhoseTaskIsQueued() {
        attach();
        failsOnce();

        assertThatThrownBy(event::set).hasMessage("no room to wake");
        assertThat(event.testAndClear()).isTrue();
        event.set();
        takeTurn();

        assertThat(loop.log).containsExactly("woken", "event");
    }

    @Test
    @Rule("AIO-38")
    void shouldNotWakeALoopThatIsAwakeForWhatIsAskedForAgain() {
        attach();

        half.schedule();
        half.schedule();
        event.set();
        event.set();

        assertThat(loop.parker.unparks).isZero();
    }

    private void attach() {
        try (Lease lease = context.acquire()) {
            event.attach(context, () -> loop.log.add("event"));
        }
    }

    /** The loop sleeps, and the first one who wakes it has no memory for that. */
    private void failsOnce() {
        context.notify.arm();
        loop.parker.whileUnparking = () -> {
            loop.parker.whileUnparking = () -> loop.log.add("woken");
            throw new OutOfMemoryError("no room to wake");
        };
    }

    private void takeTurn() {
        try (Lease lease = context.acquire()) {
            context.poll(0);
        }
    }
}
