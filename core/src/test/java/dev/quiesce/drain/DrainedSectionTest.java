package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrainedSectionTest {
    private static final ParkedReplay NONE = parked -> { };

    private final Loops loops = new Loops();
    private final Gate gate = new Gate("disk", loops.main);
    private final GateDrainable disk = new GateDrainable(gate);
    private final Lane lane = gate.lane(loops.a, NONE);
    private final List<String> calls = new ArrayList<>();

    @Test
    @Rule("DRAIN-6")
    @Rule("DRAIN-12")
    void shouldWaitUntilWhatRunsHasLeft() {
        loops.served.add(loops.a);
        lane.enter();
        loops.a.post(Loops.task("completion", lane::leaveAtSliceEnd));

        try (DrainedSection section = DrainedSection.begin(disk)) {
            assertThat(gate.isSettled()).isTrue();
            assertThat(lane.enter()).isFalse();
            assertThat(section).hasToString("drained section of disk");
        }
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-9")
    void shouldQuiesceAllBeforeItWaitsOnceAndResumeInReverse() {
        DrainedSection section = DrainedSection.begin(new Recorder("x", 2), new Recorder("y", 0));
        section.close();

        assertThat(calls).containsExactly("quiesce x", "quiesce y", "busy x", "busy x", "busy x",
                "busy y", "resume y", "resume x");
    }

    @Test
    @Rule("DRAIN-9")
    void shouldRefuseAPollInAHookAndResumeWhatWasQuiesced() {
        assertThatThrownBy(() -> DrainedSection.begin(disk, polling()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context main", Thread.currentThread().getName(),
                        "DRAIN-9");

        assertThat(gate.isQuiesced()).isFalse();
        assertThat(loops.main.poll(0)).isFalse();
    }

    @Test
    @Rule("DRAIN-9")
    void shouldRefuseASectionInAHookBeforeItQuiescesAnything() {
        Recorder inner = new Recorder("inner", 0);
        Drainable hooked = new Recorder("outer", 0) {
            @Override
            public void resume() {
                DrainedSection.begin(inner);
            }
        };
        DrainedSection section = DrainedSection.begin(hooked);
        calls.clear();

        assertThatThrownBy(section::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context main", Thread.currentThread().getName(),
                        "DRAIN-9");

        assertThat(calls).isEmpty();
    }

    private Drainable polling() {
        return new Recorder("polling", 0) {
            @Override
            public void quiesce() {
                loops.main.poll(0);
            }
        };
    }

    @Test
    @Rule("DRAIN-45")
    void shouldCountTheSameDrainableTwiceIfGivenTwice() {
        DrainedSection section = DrainedSection.begin(disk, disk);

        assertThat(gate.quiesceDepth()).isEqualTo(2);
        section.close();
        assertThat(gate.quiesceDepth()).isZero();
    }

    @Test
    @Rule("DRAIN-45")
    @Rule("DRAIN-46")
    void shouldLetSectionsOverlapAndEndInAnyOrder() {
        List<DrainedSection> inner = new ArrayList<>();
        loops.served.add(loops.a);
        lane.enter();
        loops.main.post(Loops.task("another begin", () -> inner.add(DrainedSection.begin(disk))));
        loops.a.post(Loops.task("completion", lane::leaveAtSliceEnd));

        DrainedSection outer = DrainedSection.begin(disk);
        assertThat(inner).hasSize(1);
        outer.close();
        assertThat(gate.isQuiesced()).isTrue();
        inner.get(0).close();

        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-14")
    @Rule("BB-39")
    void shouldThrowFromACompletionOfWhatItDrains() {
        List<Exception> thrown = new ArrayList<>();
        Lane own = gate.lane(loops.main, NONE);
        own.enter();
        loops.main.post(Loops.task("completion", () -> {
            own.completionBegins();
            thrown.add(catching(() -> DrainedSection.begin(disk)));
            own.completionEnds();
            own.leaveAtSliceEnd();
        }));

        loops.settle();

        assertThat(thrown).singleElement().isInstanceOf(WaitCannotEndException.class)
                .asString().contains("requests of disk").contains("own completion");
        assertThat(gate.isQuiesced()).isFalse();
        assertThat(gate.isSettled()).isTrue();
        assertThat(loops.nanoTime()).isZero();
    }

    @Test
    void shouldLetACompletionDrainSomethingElse() {
        Gate other = new Gate("other", loops.main);
        Lane own = gate.lane(loops.main, NONE);
        List<Integer> depth = new ArrayList<>();
        own.enter();
        loops.main.post(Loops.task("completion", () -> {
            own.completionBegins();
            DrainedSection section = DrainedSection.begin(new GateDrainable(other));
            depth.add(other.quiesceDepth());
            section.close();
            own.completionEnds();
            own.leaveAtSliceEnd();
        }));

        loops.settle();

        assertThat(depth).containsExactly(1);
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    void shouldThrowWhenNobodyPollsTheContextItWaitsForAndResume() {
        lane.enter();
        gate.lane(loops.b, NONE);

        assertThatThrownBy(() -> DrainedSection.begin(new Recorder("x", 0), disk))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("1 outstanding at requests of disk in context a");

        assertThat(gate.isQuiesced()).isFalse();
        assertThat(calls).endsWith("resume x");
    }

    @Test
    void shouldNameHoldsAndParkedRequestsThatBlockEachOther() {
        Hold hold = gate.hold("a step that submits", loops.a);
        loops.main.post(Loops.task("submits under the hold", () -> {
            boolean admitted = lane.enter() || !lane.parkUnlessOpen(Loops.task("r", () -> { }));
            assertThat(admitted).isFalse();
        }));

        assertThatThrownBy(() -> DrainedSection.begin(disk))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("hold \"a step that submits\" on disk")
                .hasMessageContaining("1 parked at disk");
        hold.close();
    }

    @Test
    void shouldRefuseNothingAndSeveralMainContexts() {
        Gate foreign = new Gate("foreign", new AioContext("other main", LoopSeams.system()));

        assertThatThrownBy(DrainedSection::begin).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DrainedSection.begin(disk, new GateDrainable(foreign)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("foreign belongs to other main");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldRefuseControlWhereMainIsNotOwned() {
        Gate foreign = new Gate("foreign", new AioContext("other main", LoopSeams.system()));

        assertThatThrownBy(() -> DrainedSection.begin(new GateDrainable(foreign)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("other main");
        assertThat(foreign.isQuiesced()).isFalse();
    }

    @Test
    void shouldResumeWhatItQuiescedWhenOneRefuses() {
        Recorder refusing = new Recorder("y", 0);
        refusing.failure = new IllegalStateException("no");

        assertThatThrownBy(() -> DrainedSection.begin(new Recorder("x", 0), refusing, disk))
                .hasMessage("no");

        assertThat(calls).containsExactly("quiesce x", "quiesce y", "resume x");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldResumeAllEvenIfOneThrows() {
        Recorder failing = new Recorder("y", 0);
        DrainedSection section = DrainedSection.begin(new Recorder("x", 0), failing, disk);
        failing.failure = new IllegalStateException("no");

        assertThatThrownBy(section::close).hasMessage("no");

        assertThat(calls).endsWith("resume y", "resume x");
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-17")
    void shouldCloseOnce() {
        DrainedSection first = DrainedSection.begin(disk);
        DrainedSection second = DrainedSection.begin(disk);

        first.close();
        first.close();

        assertThat(gate.quiesceDepth()).isEqualTo(1);
        second.close();
    }

    @Test
    @Rule("DRAIN-8")
    void shouldWaitAgainForHoldsTakenInside() {
        loops.served.add(loops.a);
        DrainedSection section = DrainedSection.begin(disk);
        Hold hold = gate.hold("walk", loops.a);
        loops.a.post(Loops.task("walk", hold::close));

        section.awaitAgain();

        assertThat(hold.isOpen()).isFalse();
        assertThat(gate.isSettled()).isTrue();
        section.close();
        assertThatThrownBy(section::awaitAgain).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
    }

    @Test
    void shouldStayOpenWhenWaitingAgainCannotEnd() {
        DrainedSection section = DrainedSection.begin(disk);
        Hold hold = gate.hold("walk", loops.a);

        assertThatThrownBy(section::awaitAgain).isInstanceOf(WaitCannotEndException.class);

        assertThat(gate.isQuiesced()).isTrue();
        hold.close();
        section.close();
    }

    private static Exception catching(Runnable call) {
        try {
            call.run();
            return null;
        } catch (IllegalStateException e) {
            return e;
        }
    }

    /** Writes down what a section calls, and is busy for some evaluations. */
    private class Recorder implements Drainable {
        private final String name;
        private int busy;
        private RuntimeException failure;

        Recorder(String name, int busy) {
            this.name = name;
            this.busy = busy;
        }

        @Override
        public void quiesce() {
            calls.add("quiesce " + name);
            throwIfSo();
        }

        @Override
        public boolean isBusy() {
            calls.add("busy " + name);
            return busy-- > 0;
        }

        @Override
        public void resume() {
            calls.add("resume " + name);
            throwIfSo();
        }

        private void throwIfSo() {
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public AioContext main() {
            return loops.main;
        }

        @Override
        public void describe(WaitReport out) {
            out.outstanding(name, loops.main, busy, false);
        }

        @Override
        public String name() {
            return name;
        }
    }
}
