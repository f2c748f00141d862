package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WorkItem;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An item of work: done or cancelled, never both, and home again once. */
final class LoopWork extends LoopPart {
    private enum State { IDLE, SUBMITTED, DONE, CANCELLED, LOST }

    private final AioContext home;
    private final Item item = new Item();
    private State state = State.IDLE;
    private @Nullable RuntimeException thrown;
    private long sinceNanos;

    LoopWork(LoopStory story, String name, AioContext home) {
        super(story, name);
        this.home = home;
    }

    @Override
    void move(@Nullable AioContext at) {
        if (at == home && (state == State.IDLE || story.nextInt(3) == 0)) {
            submit();
        } else if (at == home) {
            cancel();
        } else {
            story.note("cannot cancel " + name);
            story.succeeds(state == State.IDLE, () -> cancelsElsewhere());
        }
    }

    private void cancelsElsewhere() {
        if (state == State.IDLE || home.workers().cancel(item)) {
            return;
        }
        story.fail("cancelled elsewhere", name);
    }

    private void submit() {
        story.note("submits " + name);
        boolean idle = state == State.IDLE;
        State before = state;
        if (story.succeeds(idle, () -> home.workers().submit(home, item))) {
            if (state != before) {
                story.fail("done inside submit", name);
            }
            state = State.SUBMITTED;
            sinceNanos = story.now();
        }
    }

    private void cancel() {
        story.note("cancels " + name);
        boolean cancelled = home.workers().cancel(item);
        if (cancelled != (state == State.SUBMITTED)) {
            story.fail("an answer that is not known", name + " is " + state);
        }
        if (cancelled) {
            story.saw(LoopStory.Sight.WORK_CANCELLED);
            state = State.CANCELLED;
            sinceNanos = story.now();
        }
    }

    private void work() {
        if (state != State.SUBMITTED) {
            story.fail("work that should not be", name + " is " + state);
        }
        thrown = story.nextInt(4) == 0 ? new LoopStory.Mishap() : null;
        sinceNanos = story.now();
        state = home.isGone() ? State.LOST : State.DONE;
        if (state == State.LOST) {
            story.saw(LoopStory.Sight.WORK_LOST);
        }
        if (thrown != null) {
            throw thrown;
        }
    }

    private void comesBack() {
        boolean back = state == State.DONE || state == State.CANCELLED;
        RuntimeException known = state == State.DONE ? thrown : null;
        if (!back || !home.isHome() || story.now() != sinceNanos || item.failure() != known
                || item.isCancelled() != (state == State.CANCELLED)) {
            story.fail("a return that should not be", name + " is " + state);
        }
        state = State.IDLE;
        story.callback(home);
    }

    @Override
    boolean isLate() {
        return isAtWork(home) && story.now() > sinceNanos;
    }

    /** {@return whether a context that ends counts this} */
    boolean isAtWork(AioContext where) {
        return where == home && state != State.IDLE && state != State.LOST;
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        if (where == home && (state == State.DONE || state == State.CANCELLED)) {
            out.add("task " + name);
        }
    }

    @Override
    void lost(AioContext where) {
        if (where == home && (state == State.DONE || state == State.CANCELLED)) {
            state = State.LOST;
        }
    }

    @Override
    void letGo(AioContext where) {
        // It comes back.
    }

    @Override
    boolean isAnswered() {
        return state == State.IDLE || state == State.LOST;
    }

    private final class Item extends WorkItem {
        @Override
        protected void work() {
            LoopWork.this.work();
        }

        @Override
        protected void run() {
            comesBack();
        }

        @Override
        public String describe() {
            return name;
        }
    }
}
