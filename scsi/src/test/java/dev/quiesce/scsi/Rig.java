package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Several contexts, all polled by the test's thread, one turn at a time. */
public final class Rig implements AutoCloseable {
    private static final int TURNS_MAX = 100_000;

    public final List<Throwable> errors = new ArrayList<>();

    /** Whether the error handler throws after it has taken a report, as it must not. */
    public boolean handlerThrows;

    public final AioContext main;
    public final AioContext a;
    public final AioContext b;

    private final LoopSeams seams;
    private final List<AioContext> contexts = new ArrayList<>();
    private final List<Lease> leases = new ArrayList<>();
    private AioContext running;

    public Rig() {
        LoopSeams system = LoopSeams.system();
        seams = new LoopSeams(Clock.system(), system.parker(), system.workers(),
                (context, site, cause) -> {
                    errors.add(cause);
                    if (handlerThrows) {
                        throw new IllegalStateException("the error handler fails");
                    }
                });
        main = context("main");
        a = context("a");
        b = context("b");
    }

    /** Makes another context, polled with the others. */
    public AioContext context(String name) {
        AioContext made = new AioContext(name, seams);
        leases.add(made.acquire());
        contexts.add(made);
        return made;
    }

    /** Takes one turn of one context. */
    public boolean turn(AioContext context) {
        AioContext outer = running;
        running = context;
        try {
            return context.poll(0);
        } finally {
            running = outer;
        }
    }

    /** Takes turns until nothing happens any more. */
    public void settle() {
        int idle = 0;
        for (int turns = 0; idle < 2; turns++) {
            boolean progress = false;
            for (AioContext context : List.copyOf(contexts)) {
                progress |= turn(context);
            }
            idle = progress ? 0 : idle + 1;
            if (turns > TURNS_MAX) {
                throw new AssertionError("never settles");
            }
        }
    }

    /** The context whose turn it is, or null. */
    public AioContext running() {
        return running;
    }

    /** Closes a context for good. */
    public void retire(AioContext context) {
        int at = contexts.indexOf(context);
        contexts.remove(at);
        context.close();
        leases.remove(at).close();
    }

    /** Gives up a context without closing it. */
    public void leave(AioContext context) {
        int at = contexts.indexOf(context);
        contexts.remove(at);
        leases.remove(at).close();
    }

    public static boolean isDone(CompletionStage<?> stage) {
        return stage.toCompletableFuture().isDone();
    }

    @Override
    public void close() {
        for (Lease lease : leases) {
            lease.close();
        }
        if (!errors.isEmpty()) {
            AssertionError failure = new AssertionError("reported to the error handler");
            errors.forEach(failure::addSuppressed);
            throw failure;
        }
    }
}
