package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

/** What a slice runs whose tasks poll or queue others, and are not alone in it. */
class SliceTest {
    @Test
    @Rule("AIO-18")
    void shouldGoOnBehindWhatANestedPollRanThoughThatReplacedTheSlots() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("outer 1"));
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.log.add("before");
            // More than there are slots for at first.
            for (int i = 1; i <= 40; i++) {
                loop.context.defer(loop.logs("new " + i));
            }
            loop.poll();
            loop.log.add("after");
            loop.context.defer(loop.logs("next"));
        }));
        loop.context.defer(loop.logs("outer 2"));

        loop.poll();

        assertThat(loop.log).startsWith("outer 1", "before", "outer 2", "new 1", "new 2")
                .endsWith("new 40", "after").hasSize(44);
        assertThat(loop.poll()).isTrue();
        assertThat(loop.log).endsWith("after", "next");
    }

    @Test
    @Rule("AIO-17")
    @Rule("AIO-18")
    void shouldRunAllOfItThoughATaskQueuesMoreThanThereAreSlotsFor() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("outer 1"));
        loop.context.defer(FakeLoop.task("many", () -> {
            // The list moves to more slots before the rest of the slice has run.
            for (int i = 1; i <= 100; i++) {
                loop.context.defer(loop.logs("new " + i));
            }
        }));
        for (int i = 2; i <= 20; i++) {
            loop.context.defer(loop.logs("outer " + i));
        }

        loop.poll();

        assertThat(loop.log).hasSize(20).startsWith("outer 1", "outer 2").endsWith("outer 20");
        loop.poll();
        assertThat(loop.log).hasSize(120).endsWith("new 100");
    }

    @Test
    @Rule("AIO-18")
    void shouldRunNothingTwiceAfterANestedPollByATaskThatWasNotAlone() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("outer 1"));
        loop.context.defer(FakeLoop.task("nesting", loop::poll));
        loop.context.defer(loop.logs("outer 2"));

        loop.poll();

        assertThat(loop.log).containsExactly("outer 1", "outer 2");
    }
}
