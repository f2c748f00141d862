package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.rules.Rule;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The list of ready tasks: what is taken from it runs once, in order, and is forgotten. */
class TakenTasksTest {
    private final FakeLoop loop = new FakeLoop();
    private final List<Integer> posted = new ArrayList<>();
    private final List<Integer> ran = new ArrayList<>();

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    @Rule("AIO-17")
    void shouldRunWhatWasDeferredToSlotsThatTheSliceHasJustLeft() {
        // Sixteen slots at first: the slice leaves twelve, and what it defers goes round.
        for (int i = 0; i < 12; i++) {
            post(() -> post(() -> { }));
        }

        pollAll();

        assertThat(ran).hasSize(24).isEqualTo(posted);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    @Rule("AIO-17")
    @Rule("AIO-18")
    void shouldRunEachTaskOnceInOrderWhateverTasksDeferAndPoll(long seed) {
        Random random = new Random(seed);
        int[] left = {20_000};
        for (int i = 0; i < 5; i++) {
            postRandom(random, left);
        }

        pollAll();

        assertThat(ran).as("seed " + seed).isEqualTo(posted);
        assertThat(left[0]).as("seed " + seed).isLessThan(19_000);
    }

    @Test
    void shouldKeepNoTaskOfASliceThatHasEnded() {
        List<WeakReference<Task>> tasks = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            tasks.add(postForgotten());
        }

        loop.poll();
        // The one that was alone at first is kept until then.
        loop.poll();

        assertThatAreCollected(tasks);
    }

    @Test
    void shouldKeepNoTaskOfASliceThatAnErrorHasEnded() {
        List<WeakReference<Task>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tasks.add(postForgotten());
        }
        post(() -> {
            throw new AssertionError("leaves the poll");
        });

        assertThat(catchThrowable(loop::poll)).hasMessage("leaves the poll");
        loop.poll();

        assertThatAreCollected(tasks);
    }

    @Test
    void shouldKeepNoTaskThatHasRunWhileOneOfItsSliceWaits() {
        List<WeakReference<Task>> tasks = new ArrayList<>();
        post(() -> { });
        for (int i = 0; i < 3; i++) {
            tasks.add(postForgotten());
        }
        post(() -> {
            loop.parker.asleep = () -> assertThatAreCollected(tasks);
            loop.context.poll(50);
        });

        loop.poll();

        assertThat(ran).hasSize(5);
        assertThat(loop.parker.parks).containsExactly(50L);
    }

    @Test
    void shouldKeepNoTaskOfASliceThatFilledTheSlotsWhileOneRunsAgainAndAgain() throws Exception {
        List<WeakReference<Task>> tasks = new ArrayList<>();
        Task again = new Task() {
            @Override
            protected void run() {
                loop.context.post(this);
            }
        };
        Thread poster = new Thread(() -> {
            for (int i = 0; i < 15; i++) {
                tasks.add(postForgotten());
            }
            post(() -> loop.context.post(again));
        });
        poster.start();
        poster.join();

        loop.poll();
        loop.context.turn().takeSome();

        assertThat(ran).hasSize(16);
        assertThatAreCollected(tasks);
    }

    private WeakReference<Task> postForgotten() {
        Task task = FakeLoop.task("forgotten", () -> ran.add(-1));
        loop.context.post(task);
        return new WeakReference<>(task);
    }

    private static void assertThatAreCollected(List<WeakReference<Task>> tasks) {
        for (WeakReference<Task> task : tasks) {
            for (int looks = 0; task.get() != null && looks < 100; looks++) {
                System.gc();
            }
            assertThat(task.get()).isNull();
        }
    }

    /** Posts a task that posts up to three like it, as long as there are some left, or polls. */
    private void postRandom(Random random, int[] left) {
        int more = random.nextInt(4);
        boolean polls = random.nextInt(10) == 0;
        post(() -> {
            IntStream.range(0, left[0] < more ? 0 : more).forEach(i -> {
                left[0]--;
                postRandom(random, left);
            });
            if (polls && loop.context.pollDepth() < 3) {
                loop.poll();
            }
        });
    }

    private void post(Runnable run) {
        int number = posted.size();
        posted.add(number);
        loop.context.post(FakeLoop.task("task " + number, () -> {
            ran.add(number);
            run.run();
        }));
    }

    private void pollAll() {
        boolean progress = true;
        while (progress) {
            progress = loop.poll();
        }
    }
}
