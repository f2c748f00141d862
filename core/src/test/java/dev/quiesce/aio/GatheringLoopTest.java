package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A loop that polls, and whose posters are as fast as it is. */
class GatheringLoopTest {
    private final FakeLoop loop = new FakeLoop();

    /** After this it polls for some time: it has had to wait once. */
    @BeforeEach
    void pollForWhatIsPosted() {
        loop.context.setPolling(PollParameters.DEFAULT);
        loop.context.poll(0);
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += 1_000;
            elsewhere(loop.context::wake);
        };
        loop.context.poll(Long.MAX_VALUE);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLetTasksGatherWhenEachLookFindsSomethingAtOnceAndLittle() {
        assertThat(pausesBeforeATaskIsTaken(16)).containsOnly(0);
        loop.log.clear();
        loop.parker.whilePolling = () -> {
            loop.parker.whilePolling = () -> { };
            post("gathered");
        };

        assertThat(pausesBeforeATaskIsTaken(1)).containsExactly(4);

        assertThat(loop.log).as("in one turn").containsExactly("posted", "gathered");
        assertThat(pausesBeforeATaskIsTaken(2)).containsExactly(8, 16);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLetNothingGatherForWhoWaitsForAnAnswer() {
        for (int i = 0; i < 100; i++) {
            loop.parker.whilePolling = () -> {
                loop.parker.whilePolling = () -> { };
                post("answered");
            };
            loop.parker.pauses = 0;

            loop.context.poll(Long.MAX_VALUE);

            assertThat(loop.parker.pauses).as("until it was posted").isEqualTo(1);
        }
        assertThat(loop.log).hasSize(100);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLetNothingGatherWhileSomethingElseIsPolled() {
        EventNotifier event = new EventNotifier("polled");
        event.attach(loop.context, () -> { }, new IdleHook());
        event.set();
        loop.context.poll(0);

        assertThat(pausesBeforeATaskIsTaken(40)).containsOnly(0);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLetNothingGatherInANestedTurn() {
        List<Integer> pauses = new ArrayList<>();
        Task outer = FakeLoop.task("outer", () -> pauses.addAll(pausesBeforeATaskIsTaken(40)));
        loop.context.post(outer);

        loop.context.poll(0);

        assertThat(pauses).hasSize(40).containsOnly(0);
    }

    @Test
    @Rule("AIO-50b")
    void shouldBeginAnewWhenItHasSlept() {
        assertThat(pausesBeforeATaskIsTaken(18)).endsWith(4, 8);
        loop.parker.asleep = () -> elsewhere(loop.context::wake);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(pausesBeforeATaskIsTaken(16)).containsOnly(0);
    }

    /** Turns that find a task at once, which was posted before. */
    private List<Integer> pausesBeforeATaskIsTaken(int turns) {
        List<Integer> pauses = new ArrayList<>();
        for (int i = 0; i < turns; i++) {
            int before = loop.parker.pauses;
            post("posted");
            loop.context.poll(Long.MAX_VALUE);
            pauses.add(loop.parker.pauses - before);
        }
        return pauses;
    }

    private void post(String name) {
        Task task = loop.logs(name);
        elsewhere(() -> loop.context.post(task));
    }

    private static final class IdleHook implements PollHook {
        @Override
        public boolean poll() {
            return false;
        }

        @Override
        public void pollBegins() {
            // Nobody signals it anyway.
        }

        @Override
        public void pollEnds() {
            // As above.
        }
    }
}
