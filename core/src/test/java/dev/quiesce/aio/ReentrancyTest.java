package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.source.ReentrancyGuard;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

/** Callbacks of one device that begin inside one another. */
class ReentrancyTest {
    private final FakeLoop loop = new FakeLoop();
    private final ReentrancyGuard guard = new ReentrancyGuard("disk");

    @Test
    @Rule("AIO-15")
    @Rule("SBUG-20")
    void shouldCountACallbackThatBeginsInsideAnotherAndRunIt() {
        EventNotifier kick = new EventNotifier("kick");
        kick.attach(loop.context, guard.around(() -> loop.log.add("inner " + guard.isInside())));
        BottomHalf half = new BottomHalf(loop.context, "half", guard.around(() -> {
            loop.context.poll(0);
            loop.log.add("outer " + guard.isInside());
        }));
        half.schedule();
        kick.set();

        loop.poll();

        assertThat(loop.log).containsExactly("inner true", "outer true");
        assertThat(guard.isInside()).isFalse();
        assertThat(guard.reentries()).isEqualTo(1);
        assertThat(guard).hasToString("ReentrancyGuard[disk, entered inside itself 1 times]");
    }

    @Test
    @Rule("AIO-15")
    void shouldNotCountCallbacksThatFollowOneAnotherOrAreOfAnotherDevice() {
        ReentrancyGuard other = new ReentrancyGuard("other");
        BottomHalf first = new BottomHalf(loop.context, "first", guard.around(() -> { }));
        BottomHalf second = new BottomHalf(
                loop.context, "second", guard.around(() -> loop.context.poll(0)));
        BottomHalf third = new BottomHalf(loop.context, "third", other.around(() -> { }));
        first.schedule();
        second.schedule();
        third.schedule();

        loop.poll();

        assertThat(guard.reentries()).isZero();
        assertThat(other.reentries()).isZero();
    }

    @Test
    @Rule("AIO-15")
    @Rule("AIO-14")
    void shouldRestoreWhatItFoundThoughTheCallbackThrows() {
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", guard.around(() -> {
            half[0].delete();
            throw new IllegalStateException("on purpose");
        }));
        half[0].schedule();

        loop.poll();

        assertThat(loop.errors).hasSize(1);
        assertThat(guard.isInside()).isFalse();
    }
}
