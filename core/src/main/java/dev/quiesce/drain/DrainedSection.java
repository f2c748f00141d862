package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of time in which nothing runs on some {@link Drainable drainables}.
 *
 * <p>Beginning a section quiesces all of them and then waits, once, until none is busy. From then
 * on, until the section is closed, nothing that entered through them runs, and every effect that a
 * guest could see of what ran before has happened (I1). Sections nest and overlap freely; only
 * counts matter (DRAIN-45). The same drainable given twice is counted twice.
 *
 * <pre>
 *     try (DrainedSection section = DrainedSection.begin(backend)) {
 *         ... change what the requests use ...
 *     }
 * </pre>
 *
 * <p><b>Threads.</b> The blocking forms, {@link #begin}, {@link #awaitAgain()} and
 * {@link #close()}, are control: they throw where the main context is not owned, and {@code begin}
 * and {@code awaitAgain} throw {@link dev.quiesce.aio.WaitCannotEndException} where the wait could
 * never end, such as from a completion callback of one of the drainables. The asynchronous forms
 * may be called from anywhere, such a callback included; they begin in the main context, also
 * inside somebody's blocking wait, but never finish inside one (AIO-45).
 */
public final class DrainedSection implements AutoCloseable {
    private final Drainable[] what;
    private final AioContext main;

    /** Whether the wait with which the section begins has ended well. Main context only. */
    private boolean begun;

    /** Main context only. */
    private boolean closed;

    private DrainedSection(Drainable[] what) {
        if (what.length == 0) {
            throw new IllegalArgumentException("a drained section needs something to drain");
        }
        this.what = what.clone();
        this.main = what[0].main();
        for (Drainable each : what) {
            if (each.main() != main) {
                throw new IllegalArgumentException(each.name() + " belongs to " + each.main().name()
                        + ", " + what[0].name() + " to " + main.name());
            }
        }
    }

    /**
     * Quiesces and waits. Control; polls the main context while it waits, so arbitrary callbacks of
     * the main context run before it returns (DRAIN-48).
     *
     * @param what what to drain, all of one main context
     * @return the open section
     * @throws dev.quiesce.aio.WaitCannotEndException if the wait could never end; everything is
     *     resumed
     * @throws IllegalStateException if the caller does not own the main context, or is a hook
     *     (DRAIN-9)
     * @throws IllegalArgumentException if there is nothing to drain, or there are several main
     *     contexts
     */
    public static DrainedSection begin(Drainable... what) {
        DrainedSection section = new DrainedSection(what);
        section.main.checkHome();
        section.checkMayWait();
        section.quiesceAll();
        try {
            section.await();
        } catch (RuntimeException | Error e) {
            section.undo(e);
            throw e;
        }
        section.begun = true;
        return section;
    }

    /**
     * Quiesces and waits without blocking anybody. Any thread.
     *
     * @param finishIn the context in which the stage completes; if it is closed by then the section
     *     is resumed, and the stage completes exceptionally in the main context
     * @param what what to drain, all of one main context
     * @return completes with the open section; or exceptionally if a drainable refused to quiesce
     *     or threw when it was asked whether it is busy, or, with a
     *     {@link dev.quiesce.aio.WaitCannotEndException}, if something that is waited for belongs
     *     to a context that has ended, so that it can never happen: everything is resumed then
     * @throws IllegalStateException if the main context is closed
     * @throws IllegalArgumentException if there is nothing to drain, or there are several main
     *     contexts
     */
    public static CompletionStage<DrainedSection> beginAsync(
            AioContext finishIn, Drainable... what) {
        DrainedSection section = new DrainedSection(what);
        CompletableFuture<DrainedSection> result = new CompletableFuture<>();
        section.main.post(new Step("begin of " + section, () -> {
            try {
                section.quiesceAll();
            } catch (RuntimeException e) {
                section.closed = true;
                section.fail(finishIn, result, e);
                return;
            }
            section.whenSettled(finishIn, () -> result.complete(section), result);
        }));
        return result;
    }

    /**
     * Waits once more inside the open section, for holds and cancelled requests that were counted
     * after it had begun (DRAIN-8). Control; polls like {@link #begin}. The section stays open if
     * this throws.
     *
     * @throws dev.quiesce.aio.WaitCannotEndException if the wait could never end
     * @throws IllegalStateException if the section is closed, or the caller does not own the main
     *     context or is a hook (DRAIN-9)
     */
    public void awaitAgain() {
        main.checkHome();
        checkMayWait();
        checkOpen();
        await();
    }

    /**
     * Waits once more inside the open section without blocking anybody. Any thread.
     *
     * @param finishIn the context in which the stage completes
     * @return completes when nothing is counted any more; or exceptionally if the section is closed
     *     first, if {@code finishIn} is closed, in which case the section is closed too, or with a
     *     {@link dev.quiesce.aio.WaitCannotEndException} if that can never be, since a context has
     *     ended: the section stays open then
     * @throws IllegalStateException if the main context is closed
     */
    public CompletionStage<Void> settledAsync(AioContext finishIn) {
        CompletableFuture<Void> result = new CompletableFuture<>();
        main.post(new Step("wait in " + this,
                () -> whenSettled(finishIn, () -> result.complete(null), result)));
        return result;
    }

    /**
     * Ends the section: resumes everything in reverse order. Control; never waits; idempotent. What
     * had parked is replayed by posted tasks, if no other section is open.
     *
     * @throws IllegalStateException if the caller does not own the main context
     */
    @Override
    public void close() {
        main.checkHome();
        if (!closed) {
            closed = true;
            resumeAll(what.length);
        }
    }

    /**
     * Ends the section from wherever the caller is. Any thread; idempotent.
     *
     * @return completes in the main context when everything is resumed
     * @throws IllegalStateException if the main context is closed
     */
    public CompletionStage<Void> closeAsync() {
        CompletableFuture<Void> result = new CompletableFuture<>();
        main.post(new Step("end of " + this, () -> {
            try {
                close();
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
                return;
            }
            result.complete(null);
        }));
        return result;
    }

    /**
     * Reports who keeps this section from being settled. Control.
     *
     * @param out where to report
     */
    public void describe(WaitReport out) {
        main.checkHome();
        for (Drainable each : what) {
            each.describe(out);
        }
    }

    @Override
    public String toString() {
        StringBuilder names = new StringBuilder("drained section of ");
        for (int i = 0; i < what.length; i++) {
            names.append(i == 0 ? "" : ", ").append(what[i].name());
        }
        return names.toString();
    }

    /** All or none. */
    private void quiesceAll() {
        int done = 0;
        ControlWait.enterHook(main);
        try {
            for (; done < what.length; done++) {
                what[done].quiesce();
            }
        } finally {
            ControlWait.leaveHook(main);
            if (done < what.length) {
                resumeAll(done);
            }
        }
    }

    /** The first {@code n}, newest first. One that throws does not keep the others quiesced. */
    private void resumeAll(int n) {
        RuntimeException first = null;
        for (int i = n - 1; i >= 0; i--) {
            ControlWait.enterHook(main);
            try {
                what[i].resume();
            } catch (RuntimeException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            } finally {
                ControlWait.leaveHook(main);
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /**
     * Whether nothing is busy at this moment. Holds taken inside the section, and requests that
     * are cancelled while they are parked, make it busy again for a while. Control.
     *
     * @return true if whoever acts now, without polling, acts under nobody's feet
     */
    public boolean isSettled() {
        ControlWait.enterHook(main);
        try {
            for (Drainable each : what) {
                if (each.isBusy()) {
                    return false;
                }
            }
            return true;
        } finally {
            ControlWait.leaveHook(main);
        }
    }

    private void checkMayWait() {
        for (Drainable each : what) {
            each.checkMayWait();
        }
        ControlWait.checkMayWait(main);
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    private void await() {
        ControlWait.until(main, new Settling());
    }

    /** Resumes everything because of an exception that goes on. */
    private void undo(Throwable cause) {
        try {
            close();
        } catch (RuntimeException more) {
            cause.addSuppressed(more);
        }
    }

    /**
     * Main context: completes the result where the caller wants it, once nothing is busy. A hold
     * may be taken after the condition was found true and before the step runs; then the wait goes
     * on, so whoever is told in the main context finds the section settled.
     */
    private void whenSettled(
            AioContext finishIn, Runnable success, CompletableFuture<?> result) {
        ControlWait.whenDone(main, new Settling(), "finish of " + this,
                failure -> waitEnded(failure, finishIn, success, result));
    }

    private void waitEnded(@Nullable RuntimeException failure, AioContext finishIn,
            Runnable success, CompletableFuture<?> result) {
        if (closed) {
            fail(finishIn, result, new IllegalStateException(this + " is closed"));
        } else if (failure != null) {
            giveUp(finishIn, result, failure);
        } else {
            lookAgain(finishIn, success, result);
        }
    }

    private void lookAgain(AioContext finishIn, Runnable success, CompletableFuture<?> result) {
        boolean settled;
        try {
            settled = isSettled();
        } catch (RuntimeException e) {
            giveUp(finishIn, result, e);
            return;
        }
        if (settled) {
            succeed(finishIn, success, result);
        } else {
            whenSettled(finishIn, success, result);
        }
    }

    private void succeed(AioContext finishIn, Runnable success, CompletableFuture<?> result) {
        begun = true;
        RuntimeException refused = tryIn(finishIn, success);
        if (refused != null) {
            undo(refused);
            result.completeExceptionally(refused);
        }
    }

    private void giveUp(AioContext finishIn, CompletableFuture<?> result, RuntimeException cause) {
        if (!begun) {
            undo(cause);
        }
        fail(finishIn, result, cause);
    }

    /**
     * Main context: completes the result exceptionally where the caller wants it, if that is
     * possible.
     */
    private void fail(AioContext finishIn, CompletableFuture<?> result, RuntimeException cause) {
        if (tryIn(finishIn, () -> result.completeExceptionally(cause)) != null) {
            result.completeExceptionally(cause);
        }
    }

    /** Main context: runs a step in a context. Returns why that context did not take it. */
    private @Nullable RuntimeException tryIn(AioContext context, Runnable step) {
        if (context == main) {
            step.run();
            return null;
        }
        try {
            context.post(new Step("finish of " + this, step));
            return null;
        } catch (IllegalStateException e) {
            main.report(toString(), e);
            return e;
        }
    }

    /** What a section waits for: that nothing is busy, or that somebody ends it. */
    private final class Settling implements ControlWait.Target {
        @Override
        public boolean isDone() {
            return closed || isSettled();
        }

        @Override
        public void describe(WaitReport out) {
            DrainedSection.this.describe(out);
        }
    }

    /**
     * One asynchronous step of a section. Allocated per section: sections are not the data path.
     */
    private static final class Step extends Task {
        private final String name;
        private final Runnable body;

        Step(String name, Runnable body) {
            this.name = name;
            this.body = body;
        }

        @Override
        protected void run() {
            body.run();
        }

        @Override
        public String describe() {
            return name;
        }
    }
}
