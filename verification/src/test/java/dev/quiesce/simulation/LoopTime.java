package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A machine's clock that anybody starts, stops and moves, or the simulation's, which passes. */
final class LoopTime extends LoopPart {
    private static final long STEP_NANOS = 1_000;

    private final @Nullable MachineClock machine;
    private final Clock clock;
    private final boolean paced;
    private final List<LoopAlarm> alarms = new ArrayList<>();
    private boolean running;
    private long shownNanos;
    private long sinceNanos;
    private int firing;
    private int stops;
    private int told;

    LoopTime(LoopStory story, String name, Clock clock, boolean paced) {
        super(story, name);
        this.clock = clock;
        this.machine = clock instanceof MachineClock mine ? mine : null;
        this.paced = paced;
        this.running = machine == null;
    }

    Clock clock() {
        return clock;
    }

    void serves(LoopAlarm alarm) {
        alarms.add(alarm);
    }

    /** {@return what the clock must show} */
    long nowNanos() {
        return running && paced ? shownNanos + (story.now() - sinceNanos) : shownNanos;
    }

    boolean isRunning() {
        return running;
    }

    /** {@return when, on the simulation's clock, such a time comes by itself; or never} */
    long whenNanos(long deadlineNanos) {
        long leftNanos = deadlineNanos - nowNanos();
        if (!running || deadlineNanos == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        return leftNanos <= 0 ? story.now() : paced ? story.now() + leftNanos : Long.MAX_VALUE;
    }

    void fires(Runnable callback) {
        firing++;
        try {
            callback.run();
        } finally {
            firing--;
        }
    }

    @Override
    void move(@Nullable AioContext at) {
        MachineClock mine = machine;
        if (mine == null) {
            return;
        }
        switch (story.nextInt(5)) {
            case 0, 1 -> start(mine);
            case 2 -> stop(mine);
            case 3 -> {
                long to = Math.max(0, nowNanos() + (story.nextInt(5) - 2) * STEP_NANOS);
                story.note("sets " + name + " to " + to);
                changes(running, to);
                mine.set(to);
            }
            default -> {
                story.note("advances " + name);
                changes(running, nowNanos() + STEP_NANOS);
                mine.advance(STEP_NANOS);
            }
        }
    }

    private void start(MachineClock mine) {
        story.note("starts " + name);
        changes(true, nowNanos());
        mine.start();
    }

    private void stop(MachineClock mine) {
        story.note("stops " + name);
        if (firing > 0) {
            story.saw(LoopStory.Sight.STOPPED_WHILE_FIRING);
        }
        changes(false, nowNanos());
        stops++;
        boolean atOnce = firing == 0;
        boolean[] heard = new boolean[1];
        mine.stop().whenComplete((nothing, failure) -> {
            heard[0] = true;
            told++;
            if (firing > 0) {
                story.fail("told too early", "timers of " + name + " run");
            }
        });
        if (atOnce && !heard[0]) {
            story.fail("told too late", "no timer of " + name + " runs");
        }
    }

    private void changes(boolean isRunning, long showsNanos) {
        running = isRunning;
        shownNanos = showsNanos;
        sinceNanos = story.now();
        alarms.forEach(LoopAlarm::clockChanged);
    }

    @Override
    boolean isAsKnown() {
        return clock.isRunning() == running && clock.nanoTime() == nowNanos();
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        // Its timers are.
    }

    @Override
    void lost(AioContext where) {
        // It is of no context.
    }

    @Override
    void letGo(AioContext where) {
        // It stands, or goes on.
    }

    @Override
    boolean isAnswered() {
        return told == stops;
    }
}
