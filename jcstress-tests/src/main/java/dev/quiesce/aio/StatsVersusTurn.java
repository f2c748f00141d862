package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.watch.LoopMeter;
import dev.quiesce.aio.watch.LoopStats;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Can whoever watches a loop see more turns ended than begun, and so take a busy loop for idle, or
 * an idle one for busy without end?
 *
 * <p>The loop takes two turns, one after the other, each of which is counted when it begins and
 * when it ends. Result: how many are under way, as a watcher on another thread sees it.
 *
 * <pre>
 *     jcstress-tests/quick.sh StatsVersusTurn
 * </pre>
 */
public class StatsVersusTurn {
    private StatsVersusTurn() {
    }

    /** Ends are stored with release, and read first, with acquire. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "Between turns.")
    @Outcome(id = {"1", "2"}, expect = ACCEPTABLE, desc = "Turns that have ended since.")
    @Outcome(expect = FORBIDDEN, desc = "More ends than begins.")
    @State
    public static class Model extends Fields {
        /** Two turns. */
        @Actor
        public void loop() {
            turn();
            turn();
        }

        /** Ends first. */
        @Actor
        public void watcher(I_Result r) {
            int ends = (int) ENDED.getAcquire(this);
            r.r1 = (int) BEGUN.getOpaque(this) - ends;
        }
    }

    /** Begins are read first: a turn may begin and end in between. */
    @JCStressTest
    @Outcome(id = {"-1", "-2"}, expect = ACCEPTABLE_INTERESTING, desc = "More ends than begins.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenBeginsFirst extends Fields {
        /** Two turns. */
        @Actor
        public void loop() {
            turn();
            turn();
        }

        /** Begins first. */
        @Actor
        public void watcher(I_Result r) {
            int begins = (int) BEGUN.getOpaque(this);
            r.r1 = begins - (int) ENDED.getAcquire(this);
        }
    }

    /** The real meter. Second result: the turns begun, as the watcher saw them. */
    @JCStressTest
    @Outcome(id = {"0, 0", "0, 1", "0, 2"}, expect = ACCEPTABLE, desc = "Between turns.")
    @Outcome(id = {"1, 1", "1, 2", "2, 2"}, expect = ACCEPTABLE,
            desc = "Turns that have ended since.")
    @Outcome(expect = FORBIDDEN, desc = "More ends than begins, or turns that never were.")
    @State
    public static class Actual {
        private final LoopMeter meter = new LoopMeter("loop", () -> null, () -> 0, thrown -> { });

        /** Two turns. */
        @Actor
        public void loop() {
            meter.turnBegins();
            meter.turnEnds(1);
            meter.turnBegins();
            meter.turnEnds(2);
        }

        /** Looks. */
        @Actor
        public void watcher(II_Result r) {
            LoopStats stats = meter.stats();
            r.r1 = stats.turnsUnderWay();
            r.r2 = (int) stats.turns();
        }
    }

    /** Two counters of one writer. */
    static class Fields {
        static final VarHandle BEGUN = Handles.of(Fields.class, "begun");
        static final VarHandle ENDED = Handles.of(Fields.class, "ended");

        int begun;
        int ended;

        final void turn() {
            BEGUN.setOpaque(this, begun + 1);
            ENDED.setRelease(this, ended + 1);
        }
    }
}
