package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class AsyncSectionTest {
    private static final ParkedReplay NONE = parked -> { };

    private final Loops loops = new Loops();
    private final Gate gate = new Gate("disk", loops.main);
    private final GateDrainable disk = new GateDrainable(gate);
    private final Lane lane = gate.lane(loops.a, NONE);
    private final List<DrainedSection> begun = new ArrayList<>();
    private final List<String> events = new ArrayList<>();

    @Test
    @Rule("DRAIN-13")
    void shouldBeginInMainAndFinishWhereAsked() {
        lane.enter();
        CompletionStage<DrainedSection> stage = DrainedSection.beginAsync(loops.b, disk);
        stage.thenAccept(section -> {
            begun.add(section);
            events.add("in b: " + loops.b.isPolling());
        });

        assertThat(gate.isQuiesced()).isFalse();
        loops.settle();
        assertThat(gate.isQuiesced()).isTrue();
        assertThat(begun).isEmpty();

        lane.leaveAtSliceEnd();
        loops.settle();
        assertThat(events).containsExactly("in b: true");

        begun.get(0).closeAsync().thenRun(() -> events.add("in main: " + loops.main.isPolling()));
        loops.settle();
        assertThat(events).contains("in main: true");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldBeginFromACompletionOfWhatItDrains() {
        Lane own = gate.lane(loops.main, NONE);
        own.enter();
        loops.main.post(Loops.task("completion", () -> {
            own.completionBegins();
            DrainedSection.beginAsync(loops.main, disk).thenAccept(begun::add);
            own.completionEnds();
            own.leaveAtSliceEnd();
        }));

        loops.settle();

        assertThat(begun).hasSize(1);
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    @Rule("AIO-45")
    void shouldBeginInsideABlockingWaitButNotFinishThere() {
        loops.served.add(loops.a);
        lane.enter();
        loops.a.post(Loops.task("asks", () -> {
            DrainedSection.beginAsync(loops.main, disk).thenAccept(begun::add);
            loops.a.post(Loops.task("completion", lane::leaveAtSliceEnd));
        }));

        DrainedSection blocking = DrainedSection.begin(disk);
        assertThat(gate.quiesceDepth()).isEqualTo(2);
        assertThat(begun).isEmpty();
        blocking.close();

        loops.settle();
        assertThat(begun).hasSize(1);
        assertThat(gate.quiesceDepth()).isEqualTo(1);
    }

    @Test
    void shouldReplayWhatParkedWhenItIsClosedFromElsewhere() {
        List<String> started = new ArrayList<>();
        Lane replaying = gate.lane(loops.b, parked -> started.add(parked.toString()));
        DrainedSection.beginAsync(loops.b, disk).thenAccept(begun::add);
        loops.settle();
        boolean admitted = replaying.enter()
                || !replaying.parkUnlessOpen(Loops.task("r", () -> { }));

        begun.get(0).closeAsync();
        begun.get(0).closeAsync();
        loops.settle();

        assertThat(admitted).isFalse();
        assertThat(started).containsExactly("r");
        assertThat(gate.quiesceDepth()).isZero();
    }

    @Test
    void shouldWaitAgainInsideTheOpenSection() {
        DrainedSection section = DrainedSection.begin(disk);
        Hold hold = gate.hold("walk", loops.a);
        section.settledAsync(loops.b).thenRun(() -> events.add("in b: " + loops.b.isPolling()));

        loops.settle();
        assertThat(events).isEmpty();
        hold.close();
        loops.settle();

        assertThat(events).containsExactly("in b: true");
        section.close();
    }

    @Test
    void shouldFailToWaitInASectionThatIsClosedFirst() {
        DrainedSection section = DrainedSection.begin(disk);
        Hold hold = gate.hold("walk", loops.a);
        section.settledAsync(loops.a).whenComplete((none, cause) -> events.add("" + cause));
        loops.settle();

        section.close();
        loops.settle();

        assertThat(events).singleElement().asString()
                .contains("IllegalStateException").contains("is closed");
        hold.close();
    }

    @Test
    void shouldFailAndResumeWhenADrainableThrowsWhenAsked() {
        Hold hold = gate.hold("walk", loops.main);
        Moody moody = new Moody();
        DrainedSection.beginAsync(loops.a, disk, moody)
                .whenComplete((section, cause) -> events.add(loops.a.isPolling() + " " + cause));
        loops.settle();
        assertThat(events).isEmpty();

        moody.asksUntilItThrows = 0;
        hold.close();
        loops.main.wake();
        loops.settle();

        assertThat(events).singleElement().asString().startsWith("true ").contains("moody");
        assertThat(gate.isQuiesced()).isFalse();
        assertThat(moody.quiesced).isZero();
    }

    @Test
    void shouldFailAndResumeWhenADrainableThrowsAtTheSecondLook() {
        Moody moody = new Moody();
        moody.asksUntilItThrows = 1;
        DrainedSection.beginAsync(loops.main, disk, moody)
                .whenComplete((section, cause) -> events.add("" + cause));

        loops.settle();

        assertThat(events).singleElement().asString().contains("moody");
        assertThat(gate.isQuiesced()).isFalse();
        assertThat(moody.quiesced).isZero();
    }

    @Test
    void shouldFailToWaitAgainAndStayOpenWhenADrainableThrows() {
        Moody moody = new Moody();
        DrainedSection section = DrainedSection.begin(disk, moody);
        moody.asksUntilItThrows = 0;

        section.settledAsync(loops.main).whenComplete((none, cause) -> events.add("" + cause));
        loops.settle();

        assertThat(events).singleElement().asString().contains("moody");
        assertThat(gate.isQuiesced()).isTrue();
        section.close();
        assertThat(moody.quiesced).isZero();
    }

    @Test
    @Rule("DRAIN-13")
    @Rule("IOT-7")
    void shouldFailAndResumeWhenTheLoopOfARequestEnds() {
        lane.enter();
        CompletionStage<DrainedSection> stage = DrainedSection.beginAsync(loops.main, disk);
        stage.whenComplete((section, cause) -> events.add(loops.main.isPolling() + " " + cause));
        loops.settle();
        assertThat(events).isEmpty();

        loops.end(loops.a);
        loops.settle();

        assertThat(events).singleElement().asString().startsWith("true ")
                .contains("WaitCannotEndException", "1 outstanding at requests of disk", "ended a");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    @Rule("IOT-7")
    void shouldFailAtOnceWhenTheLoopOfARequestHasEndedBefore() {
        lane.enter();
        loops.end(loops.a);

        DrainedSection.beginAsync(loops.b, disk)
                .whenComplete((section, cause) -> events.add(loops.b.isPolling() + " " + cause));
        loops.settle();

        assertThat(events).singleElement().asString().startsWith("true ").contains("ended a");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    @Rule("IOT-7")
    void shouldBeWokenByTheEndOfALoopThatItWaitsFor() {
        lane.enter();
        DrainedSection.beginAsync(loops.main, disk);
        loops.settle();
        loops.woken.clear();
        loops.whenAsleep = () -> loops.end(loops.a);

        loops.main.poll(Long.MAX_VALUE);

        assertThat(loops.woken).containsExactly(loops.main);
    }

    @Test
    @Rule("IOT-7")
    void shouldFailForAHoldOfALoopThatEnds() {
        gate.hold("walk", loops.a);
        DrainedSection.beginAsync(loops.main, disk)
                .whenComplete((section, cause) -> events.add("" + cause));
        loops.settle();

        loops.end(loops.a);
        loops.settle();

        assertThat(events).singleElement().asString().contains("hold \"walk\"", "ended a");
    }

    @Test
    @Rule("IOT-7")
    void shouldSucceedWhenWhoHoldsTakesThatBackAtTheEndOfTheLoop() {
        Hold hold = gate.hold("walk", loops.a);
        loops.a.watched().atEnd(hold::close);
        DrainedSection.beginAsync(loops.main, disk).thenAccept(begun::add);
        loops.settle();

        loops.end(loops.a);
        loops.settle();

        assertThat(begun).hasSize(1);
        begun.get(0).close();
    }

    @Test
    @Rule("IOT-7")
    void shouldWaitForALivingLoopThoughAnotherHasEnded() {
        Hold hold = gate.hold("walk", loops.b);
        DrainedSection.beginAsync(loops.main, disk).thenAccept(begun::add);
        loops.settle();

        loops.end(loops.a);
        loops.settle();
        assertThat(begun).isEmpty();
        hold.close();
        loops.settle();

        assertThat(begun).hasSize(1);
        begun.get(0).close();
    }

    @Test
    @Rule("IOT-7")
    void shouldStayOpenWhenItsSecondWaitCannotEnd() {
        DrainedSection section = DrainedSection.begin(disk);
        gate.hold("walk", loops.a);
        section.settledAsync(loops.main).whenComplete((none, cause) -> events.add("" + cause));
        loops.settle();

        loops.end(loops.a);
        loops.settle();

        assertThat(events).singleElement().asString().contains("WaitCannotEndException");
        assertThat(gate.isQuiesced()).isTrue();
        section.close();
    }

    @Test
    void shouldFailWhereAskedWhenADrainableRefuses() {
        DrainedSection.beginAsync(loops.a, disk, new Refusing())
                .whenComplete((section, cause) -> events.add(cause.getMessage()));

        loops.settle();

        assertThat(events).containsExactly("refusing to quiesce");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldFailAndResumeWhenADrainableThrowsWhileItIsWaitedFor() {
        lane.enter();
        DrainedSection.beginAsync(loops.main, disk, new Drainable() {
            @Override
            public void quiesce() {
                events.add("quiesced");
            }

            @Override
            public boolean isBusy() {
                throw new IllegalStateException("cannot say");
            }

            @Override
            public void resume() {
                events.add("resumed");
            }

            @Override
            public AioContext main() {
                return loops.main;
            }

            @Override
            public void describe(WaitReport out) {
                // It cannot say.
            }

            @Override
            public String name() {
                return "failing";
            }
        }).whenComplete((section, cause) -> events.add(cause.getMessage()));
        loops.settle();
        lane.leaveAtSliceEnd();
        loops.settle();

        assertThat(events).containsExactly("quiesced", "resumed", "cannot say");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldResumeAndFailWhenTheContextToFinishInHasEnded() {
        AioContext gone = loops.context("gone");
        DrainedSection.beginAsync(gone, disk)
                .whenComplete((section, cause) -> events.add(cause.getMessage()));
        gone.close();

        loops.settle();

        assertThat(events).singleElement().asString().contains("gone");
        assertThat(loops.errors).singleElement().asString().contains("drained section of disk");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldRefuseToBeginWhenMainIsClosed() {
        loops.main.close();

        assertThatThrownBy(() -> DrainedSection.beginAsync(loops.a, disk))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("main");
    }

    /** Cannot be quiesced. */
    private final class Refusing implements Drainable {
        @Override
        public void quiesce() {
            throw new IllegalStateException("refusing to quiesce");
        }

        @Override
        public boolean isBusy() {
            return false;
        }

        @Override
        public void resume() {
            throw new AssertionError("was not quiesced");
        }

        @Override
        public AioContext main() {
            return loops.main;
        }

        @Override
        public void describe(WaitReport out) {
            throw new AssertionError("was not quiesced");
        }

        @Override
        public String name() {
            return "refusing";
        }
    }

    /** Never busy, until it throws instead. */
    private final class Moody implements Drainable {
        private int asksUntilItThrows = Integer.MAX_VALUE;
        private int quiesced;

        @Override
        public void quiesce() {
            quiesced++;
        }

        @Override
        public boolean isBusy() {
            if (asksUntilItThrows-- <= 0) {
                throw new IllegalStateException("moody");
            }
            return false;
        }

        @Override
        public void resume() {
            quiesced--;
        }

        @Override
        public AioContext main() {
            return loops.main;
        }

        @Override
        public void describe(WaitReport out) {
            // It keeps nobody waiting.
        }

        @Override
        public String name() {
            return "moody";
        }
    }
}
