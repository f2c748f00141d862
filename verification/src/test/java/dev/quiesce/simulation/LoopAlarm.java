package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A timer: fires once for each arming, the moment its clock comes to the deadline. */
final class LoopAlarm extends LoopPart {
    private static final long[] AHEAD_NANOS = {-1_000, 0, 500, 1_000, 2_500, 20_000_000};

    private final AioContext home;
    private final LoopTime time;
    private final LoopTimer timer;
    private boolean armed;
    private long deadlineNanos;

    /** When it is to fire, on the simulation's clock, as far as is known. */
    private long dueNanos;

    LoopAlarm(LoopStory story, String name, AioContext home, LoopTime time) {
        super(story, name);
        this.home = home;
        this.time = time;
        this.timer = new LoopTimer(home, time.clock(), name, this::fire);
        time.serves(this);
    }

    @Override
    void move(@Nullable AioContext at) {
        long atNanos = story.nextInt(16) == 0 ? Long.MAX_VALUE
                : time.nowNanos() + AHEAD_NANOS[story.nextInt(AHEAD_NANOS.length)];
        switch (story.nextInt(5)) {
            case 0, 1 -> armAt(atNanos);
            case 2 -> anticipate(atNanos);
            case 3 -> cancel();
            default -> time.move(at);
        }
    }

    private void armAt(long atNanos) {
        story.note("arms " + name + " at " + atNanos);
        if (story.accepts(home, false, () -> timer.armAt(atNanos))) {
            isArmedAt(atNanos);
        }
    }

    private void anticipate(long atNanos) {
        story.note("anticipates " + name + " at " + atNanos);
        if (story.accepts(home, false, () -> timer.anticipate(atNanos))
                && (!armed || shown(atNanos) < deadlineNanos)) {
            isArmedAt(atNanos);
        }
    }

    private void isArmedAt(long atNanos) {
        armed = true;
        deadlineNanos = shown(atNanos);
        dueNanos = time.whenNanos(deadlineNanos);
    }

    private long shown(long atNanos) {
        return time.clock().kind() == Clock.Kind.REALTIME ? atNanos : Math.max(0, atNanos);
    }

    private void cancel() {
        story.note("cancels " + name);
        if (armed) {
            story.saw(LoopStory.Sight.ALARM_CANCELLED);
        }
        timer.cancel();
        armed = false;
    }

    /** The clock has been started, stopped or set. */
    void clockChanged() {
        long whenNanos = time.whenNanos(deadlineNanos);
        boolean stillDue = dueNanos <= story.now() && whenNanos <= story.now();
        dueNanos = stillDue ? dueNanos : whenNanos;
    }

    private void fire() {
        if (!armed || !home.isHome() || !time.isRunning() || time.nowNanos() < deadlineNanos
                || story.now() != dueNanos) {
            story.fail("an alarm that should not be", name + ", armed " + armed + " for "
                    + deadlineNanos + ", clock " + time.clock() + ", due at " + dueNanos
                    + ", now " + story.now());
        }
        armed = false;
        story.saw(LoopStory.Sight.FIRED);
        time.fires(() -> story.callback(home));
    }

    @Override
    boolean isAsKnown() {
        return home.isGone() || timer.isArmed() == armed;
    }

    @Override
    boolean isLate() {
        return armed && story.now() > dueNanos;
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        if (armed && where == home) {
            out.add("timer " + name);
        }
    }

    @Override
    void lost(AioContext where) {
        armed &= where != home;
    }

    @Override
    void letGo(AioContext where) {
        if (where == home) {
            cancel();
        }
    }
}
