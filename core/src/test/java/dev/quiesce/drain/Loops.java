package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Parker;
import dev.quiesce.aio.SteppingParker;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A main context and two others, all owned by the test's thread. When one sleeps, those in
 * {@code served} take a turn; when nobody has anything to do, time passes.
 */
final class Loops extends SteppingParker implements Clock {
    private final Map<AioContext, Parker.Loop> handles = new HashMap<>();
    final List<String> errors = new ArrayList<>();
    final List<AioContext> served = new ArrayList<>();
    final List<AioContext> woken = new ArrayList<>();
    final AioContext main = context("main");
    final AioContext a = context("a");
    final AioContext b = context("b");
    private long nanos;

    /** Done once when somebody sleeps. */
    @Nullable Runnable whenAsleep;

    AioContext context(String name) {
        LoopSeams seams = LoopSeams.system().withClock(this).withParker(this)
                .withErrors((context, site, cause) ->
                        errors.add(context.name() + ": " + site + ": " + cause.getMessage()));
        AioContext context = new AioContext(name, seams);
        context.acquire();
        return context;
    }

    /** Polls all contexts until none makes progress. */
    void settle() {
        boolean progress = true;
        while (progress) {
            progress = false;
            for (AioContext each : List.of(main, a, b)) {
                if (!each.isGone()) {
                    progress |= each.poll(0);
                    progress |= each.hasRunnable();
                }
            }
        }
    }

    /** Ends a loop as the death of its thread does. */
    void end(AioContext context) {
        handles.get(context).end("the test has ended " + context.name());
    }

    @Override
    public void adopt(AioContext context, Parker.Loop loop) {
        handles.put(context, loop);
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public void park(AioContext context, long maxNanos) {
        Runnable meanwhile = whenAsleep;
        whenAsleep = null;
        if (meanwhile != null) {
            meanwhile.run();
            return;
        }
        boolean progress = false;
        for (AioContext each : served) {
            progress |= each != context && each.poll(0);
        }
        if (!progress) {
            if (maxNanos > 10_000_000_000L) {
                throw new AssertionError(context.name() + " would sleep for ever");
            }
            nanos += maxNanos;
        }
    }

    @Override
    public void unpark(AioContext context, @Nullable Thread owner) {
        woken.add(context);
    }

    @Override
    public boolean serves(AioContext context) {
        return served.contains(context);
    }

    static Task task(String name, Runnable body) {
        return new Task() {
            @Override
            protected void run() {
                body.run();
            }

            @Override
            public String describe() {
                return name;
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    static DeferredCall call(Runnable body) {
        return new DeferredCall() {
            @Override
            protected void run() {
                body.run();
            }
        };
    }
}
