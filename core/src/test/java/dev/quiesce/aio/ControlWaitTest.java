package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ControlWaitTest {
    private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    @Test
    void shouldNotPollWhenThereIsNothingToWaitFor() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("task"));

        ControlWait.until(loop.context, target(() -> true, out -> { }));

        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-57")
    @Rule("AIO-85")
    void shouldPollTheMainContextUntilTheTargetIsDone() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("one", () -> {
            loop.log.add("one");
            loop.context.defer(loop.logs("two"));
        }));

        ControlWait.until(loop.context, target(() -> loop.log.size() == 2,
                out -> out.outstanding("x", loop.context, 1, false)));

        assertThat(loop.log).containsExactly("one", "two");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-85")
    void shouldPollMainWhateverItWaitsFor() {
        FakeLoop loop = new FakeLoop();
        AioContext nobodys = new AioContext("io", loop.seams());
        loop.context.defer(loop.logs("task"));

        ControlWait.until(loop.context, target(() -> !loop.log.isEmpty(),
                out -> out.outstanding("disk0", nobodys, 1, false)));

        assertThat(loop.log).containsExactly("task");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-58")
    void shouldRefuseAWaitOfAnotherThreadThoughMainIsOwned() {
        FakeLoop loop = new FakeLoop();

        elsewhere(() -> assertThatThrownBy(
                () -> ControlWait.until(loop.context, target(() -> true, out -> { })))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("main", "elsewhere"));
    }

    @Test
    @Rule("AIO-59")
    @Rule("AIO-60")
    @Rule("BUG-11")
    void shouldLookAgainWhenItIsKicked() {
        FakeLoop loop = new FakeLoop();
        FakeLoop served = new FakeLoop("served");
        boolean[] done = new boolean[1];
        loop.parker.asleep = () -> {
            done[0] = true;
            loop.context.wake();
        };

        ControlWait.until(loop.context, target(() -> done[0],
                out -> out.outstanding("x", loop.context, 1, false)));

        assertThat(loop.parker.unparks).isEqualTo(1);
        assertThat(loop.parker.parks).hasSize(1);
        served.close();
    }

    @Test
    @Rule("AIO-45")
    @Rule("BUG-22")
    void shouldNotRunOuterOnlyTasksEvenOutsideAnyCallback() {
        FakeLoop loop = new FakeLoop();
        boolean[] done = new boolean[1];
        loop.context.postOuter(loop.logs("another control operation"));
        loop.context.defer(FakeLoop.task("done", () -> done[0] = true));

        ControlWait.until(loop.context, target(() -> done[0],
                out -> out.outstanding("x", loop.context, 1, false)));

        assertThat(loop.log).isEmpty();
        loop.poll();
        assertThat(loop.log).containsExactly("another control operation");
    }

    @Test
    void shouldThrowAtOnceWhenItWaitsForItsOwnCompletion() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("task"));

        assertThatThrownBy(() -> ControlWait.until(loop.context, target(() -> false,
                out -> out.outstanding("disk0", loop.context, 1, true))))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContainingAll("main", "disk0", "own completion");

        assertThat(loop.log).isEmpty();
        assertThat(loop.clock.nowNanos).isZero();
    }

    @Test
    void shouldThrowAfterTheGraceWhenNobodyPollsTheContextWaitedFor() {
        FakeLoop loop = new FakeLoop();
        AioContext io = new AioContext("io", loop.seams());

        assertThatThrownBy(() -> ControlWait.until(loop.context, target(() -> false, out -> {
            out.outstanding("disk0", io, 3, false);
            out.parked("disk0", io, 2);
        })))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContainingAll("3 outstanding at disk0", "context io", "nobody",
                        "2 parked");

        assertThat(loop.clock.nowNanos).isEqualTo(GRACE_NANOS);
        assertThat(loop.parker.parks).hasSize(1);
    }

    @Test
    void shouldThrowWhenTheWaitingThreadWouldHaveToPollTheOtherContextItself() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");

        assertThatThrownBy(() -> ControlWait.until(loop.context, target(() -> false,
                out -> out.outstanding("disk0", other.context, 1, false))))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContainingAll("disk0", "other");
    }

    @Test
    void shouldBeginTheGraceAnewWhenSomethingRan() {
        FakeLoop loop = new FakeLoop();
        AioContext io = new AioContext("io", loop.seams());
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += GRACE_NANOS - 1;
            loop.context.post(loop.logs("task"));
        };

        assertThatThrownBy(() -> ControlWait.until(loop.context, target(() -> false,
                out -> out.outstanding("disk0", io, 1, false))))
                .isInstanceOf(WaitCannotEndException.class);

        assertThat(loop.log).containsExactly("task");
        assertThat(loop.clock.nowNanos).isEqualTo(2 * GRACE_NANOS - 1);
    }

    @Test
    void shouldNotGiveUpWhileATimerOfTheMainContextIsArmed() {
        FakeLoop loop = new FakeLoop();
        AioContext io = new AioContext("io", loop.seams());
        boolean[] done = new boolean[1];
        new LoopTimer(loop.context, "timer", () -> done[0] = true).armAt(10 * GRACE_NANOS);

        ControlWait.until(loop.context, target(() -> done[0],
                out -> out.outstanding("disk0", io, 1, false)));

        assertThat(loop.clock.nowNanos).isEqualTo(10 * GRACE_NANOS);
    }

    @Test
    void shouldWaitForAContextThatItsParkerServes() {
        FakeLoop loop = new FakeLoop();
        int[] parks = new int[1];
        Parker serving = new Parker() {
            @Override
            public void park(AioContext context, long maxNanos) {
                loop.clock.nowNanos += GRACE_NANOS;
                parks[0]++;
            }

            @Override
            public void unpark(AioContext context, Thread owner) {
                throw new AssertionError("nobody notifies");
            }

            @Override
            public boolean serves(AioContext context) {
                return context.name().equals("simulated");
            }
        };
        AioContext simulated = new AioContext("simulated", loop.seams().withParker(serving));
        AioContext main = new AioContext("main", loop.seams().withParker(serving));

        try (Lease lease = main.acquire()) {
            ControlWait.until(main, target(() -> parks[0] == 5,
                    out -> out.outstanding("disk0", simulated, 1, false)));
        }

        assertThat(parks[0]).isEqualTo(5);
    }

    @Test
    @Rule("AIO-84")
    void shouldNestWaitsLikeAStack() {
        FakeLoop loop = new FakeLoop();
        boolean[] innerDone = new boolean[1];
        boolean[] outerDone = new boolean[1];
        Consumer<WaitReport> why = out -> out.outstanding("x", loop.context, 1, false);
        loop.context.defer(FakeLoop.task("waits", () -> {
            ControlWait.until(loop.context, target(() -> innerDone[0], why));
            loop.log.add("inner wait over");
        }));
        loop.context.defer(FakeLoop.task("ends outer", () -> {
            outerDone[0] = true;
            loop.context.defer(FakeLoop.task("ends inner", () -> innerDone[0] = true));
        }));

        ControlWait.until(loop.context, target(() -> outerDone[0], why));

        assertThat(loop.log).containsExactly("inner wait over");
    }

    @Test
    @Rule("AIO-84")
    void shouldStillBeInAWaitWhenAnInnerOneIsOver() {
        FakeLoop loop = new FakeLoop();
        boolean[] done = new boolean[1];
        Consumer<WaitReport> why = out -> out.outstanding("x", loop.context, 1, false);
        loop.context.postOuter(loop.logs("outer-only"));
        loop.context.defer(FakeLoop.task("waits", () -> {
            boolean[] innerDone = new boolean[1];
            loop.context.defer(FakeLoop.task("ends inner", () -> innerDone[0] = true));
            ControlWait.until(loop.context, target(() -> innerDone[0], why));
            loop.context.defer(FakeLoop.task("ends outer", () -> done[0] = true));
        }));

        ControlWait.until(loop.context, target(() -> done[0], why));

        assertThat(loop.log).isEmpty();
        loop.poll();
        assertThat(loop.log).containsExactly("outer-only");
    }

    @Test
    void shouldFinishWhenTheEpilogueOfReturnedCallbacksIsAllItWaitsFor() {
        FakeLoop loop = new FakeLoop();
        boolean[] left = new boolean[1];
        loop.context.defer(FakeLoop.task("completes",
                () -> loop.context.deferSettle(FakeLoop.call("leave", () -> left[0] = true))));
        loop.context.defer(FakeLoop.task("drains", () -> {
            ControlWait.until(loop.context, target(() -> left[0],
                    out -> out.outstanding("x", loop.context, 1, false)));
            loop.log.add("drained");
        }));

        loop.poll();

        assertThat(loop.log).containsExactly("drained");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    void shouldNoticeThatTheOwnerOfAnotherContextHasGone() throws Exception {
        FakeLoop loop = new FakeLoop();
        AioContext io = new AioContext("io", loop.seams());
        Thread owner = new Thread(io::acquire, "gone owner");
        owner.start();
        owner.join();
        WaitReport report = new WaitReport();
        report.outstanding("disk0", io, 1, false);

        assertThat(report.canProgress(loop.context)).isFalse();
        assertThat(report.toString()).contains("gone owner");
    }

    @Test
    void shouldWaitForAnotherThreadWithoutSpinning() {
        AioContext main = new AioContext("main", LoopSeams.system());
        boolean[] done = new boolean[1];
        int[] looks = new int[1];
        long begun = main.clock().nanoTime();
        try (IoThread ioThread = IoThread.start(new IoThreadConfig("io", Thread::new,
                LoopSeams.system(), true));
                Lease lease = main.acquire()) {
            LoopTimer later = new LoopTimer(ioThread.context(), "later",
                    () -> main.execute(() -> done[0] = true));
            later.armAt(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(300));

            ControlWait.until(main, target(() -> {
                looks[0]++;
                return done[0];
            }, out -> out.outstanding("x", ioThread.context(), 1, false)));
        }

        // It looks once a second anyway, and the other thread may have come late.
        long seconds = TimeUnit.NANOSECONDS.toSeconds(main.clock().nanoTime() - begun);
        assertThat(looks[0]).isLessThan(20 + (int) seconds);
    }

    @Test
    @Rule("AIO-57")
    @Rule("AIO-58")
    void shouldBeForTheOwnerOfTheMainContextOnly() {
        AioContext main = new AioContext("main", LoopSeams.system());

        assertThatThrownBy(() -> ControlWait.until(main, target(() -> true, out -> { })))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("main");
    }

    @Test
    void shouldSayWhatALongWaitWaitsForThoughItsContextIsBusy() {
        FakeLoop loop = new FakeLoop();
        int[] seconds = new int[1];
        int[] described = new int[1];
        BottomHalf[] busy = new BottomHalf[1];
        busy[0] = new BottomHalf(loop.context, "busy", () -> {
            loop.clock.nowNanos += 1_000_000_000;
            seconds[0]++;
            busy[0].schedule();
        });
        busy[0].schedule();

        ControlWait.until(loop.context, new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return seconds[0] == 100;
            }

            @Override
            public void describe(WaitReport out) {
                described[0]++;
            }
        });

        // At the beginning; then after 5 seconds, 10, 20, 40 and 80.
        assertThat(described[0]).isEqualTo(6);
    }


    @Test
    void shouldSayWhenNothingIsOutstanding() {
        assertThat(new WaitReport().toString()).isEqualTo("nothing is outstanding");
    }

    @Test
    @Rule("IOT-7")
    void shouldGiveUpAnAsynchronousWaitForAContextThatEnds() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        ControlWait.dependsOn(loop.context, other.context);
        ControlWait.whenDone(loop.context, target(() -> false,
                out -> out.outstanding("x", other.context, 1, false)), "wait", loop::ends);
        loop.poll();
        loop.poll();
        assertThat(loop.log).isEmpty();

        other.context.end("other has ended");
        loop.poll();
        loop.poll();

        assertThat(loop.log).singleElement().asString()
                .contains("waits for what cannot happen", "1 outstanding at x", "other has ended");
        other.close();
    }

    @Test
    @Rule("IOT-7")
    void shouldNotGiveUpForWhatWentInTheLastTurnOfAContext() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        long[] outstanding = {1};
        boolean[] ends = new boolean[1];
        ControlWait.dependsOn(loop.context, other.context);
        ControlWait.whenDone(loop.context, target(() -> outstanding[0] == 0, out -> {
            if (outstanding[0] > 0) {
                out.outstanding("x", other.context, outstanding[0], false);
            }
            if (ends[0]) {
                ends[0] = false;
                outstanding[0] = 0;
                other.context.end("other has ended");
            }
        }), "wait", loop::ends);
        loop.poll();

        ends[0] = true;
        ControlWait.Waiters waiters = loop.context.turn().waiters();
        waiters.countEnd(); // Of a third one, so that it looks.
        loop.context.wake();
        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("done");
        other.close();
    }

    @Test
    @Rule("IOT-7")
    void shouldNotGiveUpBeforeThoseWhoTakeSomethingBackAtTheEndHaveDoneSo() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        boolean[] done = new boolean[1];
        ControlWait.dependsOn(loop.context, other.context);
        other.context.watched().atEnd(() -> {
            ControlWait.whenDone(loop.context, target(() -> done[0],
                    out -> out.outstanding("x", other.context, 1, false)), "wait", loop::ends);
            loop.poll();
            loop.poll();
            done[0] = true;
        });

        other.context.end("other has ended");
        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("done");
        other.close();
    }

    @Test
    void shouldEndAnAsynchronousWaitWhoseTargetThrows() {
        FakeLoop loop = new FakeLoop();
        ControlWait.whenDone(loop.context, target(() -> {
            throw new IllegalStateException("the target fails");
        }, out -> { }), "wait", loop::ends);

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("the target fails");
        assertThat(loop.errors).isEmpty();
    }

    @Test
    void shouldMakeNoReportWhileAnAsynchronousWaitHasNothingToJudge() {
        FakeLoop loop = new FakeLoop();
        int[] reports = new int[1];
        ControlWait.whenDone(loop.context, target(() -> false, out -> reports[0]++),
                "wait", loop::ends);

        for (int turn = 0; turn < 5; turn++) {
            loop.context.wake();
            loop.poll();
        }

        assertThat(reports[0]).isEqualTo(1);
    }

    static ControlWait.Target target(BooleanSupplier done, Consumer<WaitReport> describe) {
        return new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return done.getAsBoolean();
            }

            @Override
            public void describe(WaitReport out) {
                describe.accept(out);
            }
        };
    }
}
