package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A bottom half: runs once for all asks, in time, and never once it is deleted. */
final class LoopHalf extends LoopPart {
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int DELETES_ONE_IN = 8;

    private final AioContext home;
    private final BottomHalf half;
    private boolean due;
    private long dueByNanos;
    private boolean deleted;
    private int running;
    private int awaited;
    private int told;

    LoopHalf(LoopStory story, String name, AioContext home) {
        super(story, name);
        this.home = home;
        this.half = new BottomHalf(home, name, this::run);
    }

    @Override
    void move(@Nullable AioContext at) {
        switch (story.nextInt(6)) {
            case 0, 1 -> schedule();
            case 2 -> scheduleIdle(at);
            case 3 -> cancel();
            default -> scheduleOrDelete();
        }
    }

    private void scheduleOrDelete() {
        if (story.nextInt(DELETES_ONE_IN) != 0) {
            schedule();
        } else if (story.nextInt(2) == 0) {
            delete();
        } else {
            deleteAndAwait();
        }
    }

    void schedule() {
        story.note("schedules " + name);
        if (story.accepts(home, deleted, half::schedule)) {
            asked(story.now());
        }
    }

    void scheduleIdle(@Nullable AioContext at) {
        story.note("schedules " + name + " idle");
        if (story.accepts(home, deleted, half::scheduleIdle)) {
            asked(at == home ? story.now() + IDLE_NANOS : story.now());
        }
    }

    private void asked(long byNanos) {
        if (!deleted) {
            dueByNanos = due ? Math.min(dueByNanos, byNanos) : byNanos;
            due = true;
        }
    }

    void cancel() {
        story.note("cancels " + name);
        if (due) {
            story.saw(LoopStory.Sight.ASK_CANCELLED);
        }
        half.cancel();
        due = false;
    }

    void delete() {
        story.note("deletes " + name);
        deleted = true;
        due = false;
        half.delete();
    }

    void deleteAndAwait() {
        story.note("deletes " + name + " and waits");
        if (running > 0) {
            story.saw(LoopStory.Sight.DELETED_WHILE_RUNNING);
        }
        deleted = true;
        due = false;
        awaited++;
        boolean[] later = new boolean[1];
        half.deleteAndAwait().whenComplete((nothing, failure) -> {
            told++;
            if (running > 0) {
                story.fail("told too early", name + " runs");
            }
            if (later[0] && !home.isHome() && !home.isGone()) {
                story.fail("told elsewhere", name);
            }
            story.main().wake();
        });
        later[0] = true;
    }

    private void run() {
        if (!home.isHome() || deleted || !due || isLate()) {
            story.fail("a run that should not be", name + ", due " + due + " by " + dueByNanos
                    + ", deleted " + deleted + ", now " + story.now());
        }
        due = false;
        running++;
        try {
            story.callback(home);
        } finally {
            running--;
        }
    }

    @Override
    boolean isAsKnown() {
        return half.isScheduled() == due;
    }

    @Override
    boolean isLate() {
        return due && story.now() > dueByNanos;
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        if (due && where == home) {
            out.add("task " + name);
        }
    }

    @Override
    void addLeaks(AioContext where, List<String> out) {
        if (where == home && !deleted) {
            out.add("bottom half " + name + " was never deleted");
        }
    }

    @Override
    void lost(AioContext where) {
        due &= where != home;
    }

    @Override
    void letGo(AioContext where) {
        if (where == home) {
            deleteAndAwait();
        }
    }

    @Override
    boolean isAnswered() {
        return told == awaited;
    }
}
