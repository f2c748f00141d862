package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Bottom halves that let the loop sleep for a while. */
class IdleBottomHalfTest {
    private static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final FakeLoop loop = new FakeLoop();
    private final BottomHalf half =
            new BottomHalf(loop.context, "half", () -> loop.log.add("half"));

    @Test
    @Rule("AIO-7")
    void shouldRunAfterTenMillisecondsAndBeNoProgress() {
        half.scheduleIdle();

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();

        assertThat(loop.parker.parks).containsExactly(PACE_NANOS);
        assertThat(loop.log).containsExactly("half");
    }

    @Test
    @Rule("AIO-7")
    void shouldRunWithWhateverElseMakesTheLoopTakeATurn() {
        half.scheduleIdle();
        loop.context.defer(loop.logs("task"));

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).containsExactly("half", "task");
    }

    @Test
    @Rule("AIO-9")
    void shouldPaceOneThatSchedulesItselfAgain() {
        BottomHalf[] again = new BottomHalf[1];
        again[0] = new BottomHalf(loop.context, "again", () -> {
            loop.log.add("again");
            again[0].scheduleIdle();
        });
        again[0].scheduleIdle();

        for (int i = 0; i < 3; i++) {
            assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();
            assertThat(loop.context.sleep().isNotified()).isFalse();
        }

        assertThat(loop.parker.parks).containsExactly(PACE_NANOS, PACE_NANOS, PACE_NANOS);
        assertThat(loop.log).hasSize(3);
    }

    @Test
    @Rule("AIO-7")
    @Rule("AIO-9")
    void shouldPaceSeveralThatScheduleThemselvesAgain() {
        BottomHalf[] again = new BottomHalf[3];
        for (int i = 0; i < again.length; i++) {
            int mine = i;
            again[i] = new BottomHalf(loop.context, "again " + i, () -> {
                loop.log.add("again " + mine);
                again[mine].scheduleIdle();
            });
            again[i].scheduleIdle();
        }

        for (int i = 0; i < 4; i++) {
            assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();
        }

        assertThat(loop.parker.parks)
                .containsExactly(PACE_NANOS, PACE_NANOS, PACE_NANOS, PACE_NANOS);
        assertThat(loop.log).hasSize(12);
    }

    @Test
    @Rule("AIO-8")
    void shouldRunAtOnceAndBeProgressWhenAlsoScheduledOrdinarily() {
        half.scheduleIdle();
        half.schedule();

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        half.schedule();
        half.scheduleIdle();
        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();
        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).hasSize(2);
    }

    @Test
    @Rule("AIO-8")
    void shouldBeIdleAgainAfterAnOrdinaryRun() {
        half.scheduleIdle();
        half.schedule();
        loop.poll();
        half.scheduleIdle();

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();

        assertThat(loop.parker.parks).containsExactly(PACE_NANOS);
    }

    @Test
    @Rule("AIO-7")
    void shouldRunAtOnceWhenAskedForFromElsewhere() {
        elsewhere(half::scheduleIdle);

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).containsExactly("half");
    }

    @Test
    @Rule("AIO-8")
    void shouldBeWokenByAnOrdinaryScheduleFromElsewhere() {
        half.scheduleIdle();
        loop.parker.asleep = () -> elsewhere(half::schedule);

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.parker.unparks).isEqualTo(1);
        assertThat(loop.log).containsExactly("half");
    }

    @Test
    @Rule("AIO-10")
    void shouldNotRunOnceCancelledOrDeleted() {
        BottomHalf deleted = new BottomHalf(loop.context, "deleted", () -> loop.log.add("deleted"));
        half.scheduleIdle();
        deleted.scheduleIdle();
        half.cancel();
        deleted.delete();
        assertThat(half.isScheduled()).isFalse();

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).isEmpty();
        assertThat(loop.context.isIdle()).isTrue();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Rule("AIO-7")
    void shouldNotBeWaitedForByANestedPollOfItsOwnSlice() {
        loop.context.defer(FakeLoop.task("polls", () -> loop.context.poll(Long.MAX_VALUE)));
        loop.context.defer(loop.logs("rest"));
        half.scheduleIdle();

        loop.poll();

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).containsExactly("rest", "half");
    }

    @Test
    void shouldSayThatThereIsSomethingToDoThoughItMayWait() {
        half.scheduleIdle();

        assertThat(loop.context.isIdle()).isFalse();
        assertThat(loop.context.hasRunnable()).isTrue();
        assertThat(half.isScheduled()).isTrue();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(PACE_NANOS);
        loop.poll();
        assertThat(loop.context.isIdle()).isTrue();
    }
}
