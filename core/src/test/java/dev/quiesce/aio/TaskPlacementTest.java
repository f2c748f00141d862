package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where a task runs, and when: the rules that take the place of coroutines'. */
class TaskPlacementTest {
    private final FakeLoop main = new FakeLoop("main");
    private final FakeLoop io = new FakeLoop("io");

    @AfterEach
    void giveLeasesBack() {
        io.close();
        main.close();
    }

    @Test
    @Rule("AIO-6")
    void shouldRunAPieceOfCodeOnceAndForgetIt() {
        main.context.execute(() -> main.log.add("code"));

        main.poll();
        main.poll();

        assertThat(main.log).containsExactly("code");
        assertThat(main.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-64")
    @Rule("AIO-17")
    void shouldNeverRunATaskInsideThePostThoughThePosterIsHome() {
        main.context.execute(() -> {
            main.context.post(main.logs("posted"));
            main.log.add("poster goes on");
        });

        main.poll();
        assertThat(main.log).containsExactly("poster goes on");
        main.poll();

        assertThat(main.log).containsExactly("poster goes on", "posted");
    }

    @Test
    @Rule("AIO-62")
    @Rule("BUG-10")
    void shouldRunATaskAtHomeWhoeverPostedIt() {
        Thread[] ranOn = new Thread[1];
        elsewhere(() -> {
            assertThat(main.context.isHome()).isFalse();
            main.context.execute(() -> ranOn[0] = Thread.currentThread());
        });
        assertThat(ranOn[0]).isNull();

        main.poll();

        assertThat(ranOn[0]).isSameAs(Thread.currentThread());
    }

    @Test
    @Rule("AIO-61")
    void shouldGoToAnotherContextAndComeBackByTwoPosts() {
        CountDownLatch free = new CountDownLatch(1);
        Thread[] ranOn = new Thread[2];
        try (IoThread other = ioThread()) {
            other.context().execute(() -> {
                if (other.context().isHome()) {
                    await(free);
                }
            });
            Task back = FakeLoop.task("back", () -> ranOn[1] = Thread.currentThread());
            Task there = FakeLoop.task("there", () -> {
                ranOn[0] = Thread.currentThread();
                main.context.post(back);
            });
            main.context.execute(() -> other.context().post(there));

            main.poll();
            boolean early = main.poll() || ranOn[0] != null;
            free.countDown();
            assertThat(early).as("nobody waits, and nothing is back").isFalse();
            Spin.until(() -> main.poll() && ranOn[1] != null, "the answer has come");

            assertThat(ranOn).containsExactly(other.thread(), Thread.currentThread());
        }
    }

    @Test
    @Rule("AIO-66")
    void shouldMoveToAnotherContextByAPostAsItsLastAct() {
        List<Thread> ranOn = new CopyOnWriteArrayList<>();
        try (IoThread other = ioThread()) {
            Task[] moves = new Task[1];
            moves[0] = FakeLoop.task("moves", () -> {
                ranOn.add(Thread.currentThread());
                if (ranOn.size() < 6) {
                    boolean isHere = main.context.isHome();
                    (isHere ? other.context() : main.context).post(moves[0]);
                }
            });
            // Of several that are queued, each leaves its slot before it runs.
            main.context.post(main.logs("before"));
            main.context.post(moves[0]);
            Spin.until(() -> main.poll() && ranOn.size() > 4, "it has come back twice");
            Spin.until(() -> ranOn.size() == 6, "it has gone thrice");

            Thread here = Thread.currentThread();
            Thread there = other.thread();
            assertThat(ranOn).containsExactly(here, there, here, there, here, there);
        }
        assertThat(main.errors).isEmpty();
    }

    @Test
    @Rule("AIO-65")
    @Rule("AIO-67")
    void shouldRunAgainATaskThatIsPostedElsewhereWhileItRuns() {
        Task[] step = new Task[1];
        step[0] = FakeLoop.task("step", () -> {
            main.log.add("begins");
            if (main.log.size() < 5) {
                elsewhere(() -> main.context.post(step[0]));
            }
            main.log.add("ends");
        });
        main.context.post(step[0]);

        for (int i = 0; i < 5; i++) {
            main.poll();
        }

        assertThat(main.errors).isEmpty();
        assertThat(main.log)
                .containsExactly("begins", "ends", "begins", "ends", "begins", "ends");
    }

    @Test
    @Rule("AIO-67")
    void shouldResumeATaskOnceForEachTimeItWasHandedOver() {
        Task[] step = new Task[1];
        int[] runs = new int[1];
        step[0] = FakeLoop.task("step", () -> {
            runs[0]++;
            if (runs[0] < 3) {
                main.context.post(step[0]);
                main.log.add("posted again by itself");
            }
        });
        main.context.post(step[0]);

        for (int i = 0; i < 5; i++) {
            main.poll();
        }

        assertThat(runs[0]).isEqualTo(3);
        assertThat(main.log).hasSize(2);
    }

    @Test
    @Rule("AIO-63")
    void shouldCatchATaskThatIsPostedTwice() {
        Task task = main.logs("task");
        main.context.post(task);

        assertThatThrownBy(() -> main.context.post(task))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("task is already in a queue");

        main.poll();
        main.context.post(task);
        main.poll();
        assertThat(main.log).containsExactly("task", "task");
    }

    @Test
    @Rule("AIO-44")
    void shouldRunNothingOfAnotherContextInANestedTurn() {
        io.context.post(io.logs("io"));
        main.context.execute(() -> {
            main.context.execute(() -> main.log.add("nested"));
            main.poll();
        });

        main.poll();

        assertThat(main.log).containsExactly("nested");
        assertThat(io.log).isEmpty();
        io.poll();
        assertThat(io.log).containsExactly("io");
    }

    @Test
    @Rule("AIO-30")
    @Rule("AIO-36")
    @Rule("BUG-28")
    void shouldCountNoProgressForATurnThatWasOnlyWoken() {
        main.parker.asleep = main.context::wake;

        boolean progress = main.context.poll(Long.MAX_VALUE);

        assertThat(progress).isFalse();
        assertThat(main.parker.parks).hasSize(1);
    }

    @Test
    @Rule("AIO-60")
    void shouldTakeManyKicksBetweenTwoTurnsForOne() {
        for (int i = 0; i < 1_000; i++) {
            main.context.wake();
        }

        main.context.poll(1_000);
        assertThat(main.parker.parks).isEmpty();
        main.context.poll(1_000);

        assertThat(main.parker.parks).containsExactly(1_000L);
    }

    @Test
    @Rule("AIO-35")
    @Rule("BUG-15")
    void shouldNotForgetWhatItIsToldWhileItLooks() {
        // With a timer to look at, every turn is a whole one and acknowledges.
        LoopTimer farAway = new LoopTimer(main.context, "far away", () -> { });
        farAway.armAt(main.context.clock().nanoTime() + 1_000_000);
        main.context.execute(() -> elsewhere(main.context::wake));
        main.poll();

        main.context.poll(Long.MAX_VALUE);

        assertThat(main.parker.parks).isEmpty();
        farAway.cancel();
    }

    @Test
    @Rule("AIO-35")
    void shouldNotForgetATaskThatIsPostedWhileItLooks() {
        main.context.execute(() -> elsewhere(() -> main.context.post(main.logs("posted"))));
        main.poll();
        assertThat(main.log).isEmpty();

        main.context.poll(Long.MAX_VALUE);

        assertThat(main.log).containsExactly("posted");
        assertThat(main.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-72")
    @Rule("BUG-29")
    void shouldCompleteAnotherItemInsideACompletionThatPolls() {
        WorkItem second = item("second", () -> { });
        WorkItem first = item("first", () -> {
            main.poll();
            main.log.add("first goes on");
        });
        main.context.workers().submit(main.context, first);
        main.context.workers().submit(main.context, second);

        main.poll();

        assertThat(main.log).containsExactly("first", "second", "first goes on");
    }

    @Test
    @Rule("AIO-72")
    void shouldEndResultsThatArriveTogetherInOneEpilogue() {
        DeferredCall publish = main.logsCall("publish");
        Runnable answer = () -> main.context.deferCall(publish);
        main.context.workers().submit(main.context, item("first", answer));
        main.context.workers().submit(main.context, item("second", answer));

        main.poll();

        assertThat(main.log).containsExactly("first", "second", "publish");
    }

    @Test
    @Rule("AIO-79")
    void shouldMakeADeferredCallAtHomeWhoeverOwnsTheContextByThen() {
        Thread[] madeOn = new Thread[1];
        AioContext context = new AioContext("handed over", LoopSeams.system());
        elsewhere(() -> {
            try (Lease lease = context.acquire()) {
                context.deferCall(FakeLoop.call("call", () -> madeOn[0] = Thread.currentThread()));
            }
        });

        try (Lease lease = context.acquire()) {
            context.poll(Long.MAX_VALUE);
        }

        assertThat(madeOn[0]).isSameAs(Thread.currentThread());
    }

    private static IoThread ioThread() {
        return IoThread.start(new IoThreadConfig(
                "there", run -> new Thread(run, "there"), LoopSeams.system(), true));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private WorkItem item(String name, Runnable then) {
        return new WorkItem() {
            @Override
            protected void work() {
                // Nothing that could block.
            }

            @Override
            protected void run() {
                main.log.add(name);
                then.run();
            }
        };
    }
}
