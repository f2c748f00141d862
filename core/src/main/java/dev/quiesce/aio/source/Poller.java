package dev.quiesce.aio.source;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What one loop can poll, and for how long it is worth while (AIO-46 to AIO-53). The loop drives
 * it: {@link #budgetNanos}, {@link #begin}, any number of {@link #look}, and {@link #end} before it
 * sleeps; after a callback {@link Polled#served}.
 */
public final class Poller {
    /*
     * A handler becomes a candidate when it is served for the first time (AIO-49). From `begin` on
     * its notifications may be suppressed, which is what `begun` remembers, per handler: the only
     * ones that get an end are those that got a begin, and they get it even if they are running,
     * or have been removed, by then (AIO-28, AIO-31).
     *
     * While a handler runs it is not asked, since it may not have consumed its event yet (AIO-28).
     * If the mode is left meanwhile, by a nested poll, the question that must follow an end is put
     * off until the handler returns; so an event that comes between the two is not lost.
     *
     * Everything is confined to the home context but `parameters`, which any thread replaces as a
     * whole; the loop notices that they are other ones than it used last (AIO-53).
     */
    private static final long IDLE_NANOS_MAX = TimeUnit.SECONDS.toNanos(7);
    private static final long UNKNOWN = Long.MIN_VALUE;
    private static final VarHandle HITS;
    private static final VarHandle MISSES;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            HITS = lookup.findVarHandle(Poller.class, "hits", long.class);
            MISSES = lookup.findVarHandle(Poller.class, "misses", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Consumer<Throwable> onFailure;

    /** The candidates, in the order in which they became it. */
    private final List<Polled> candidates = new ArrayList<>();

    /** How many of them have begun. */
    private int begun;

    /** How many calls of hooks are on the stack, with the reports of their failures. */
    private int hooks;

    /** The polling time of what is posted to the loop: nobody needs to be asked about that. */
    private long postedNanos;

    /** How long the loop had to wait before what it serves now. */
    private long blockNanos;

    /** The parameters that the times above were made with. */
    private PollParameters used = PollParameters.OFF;

    /** Written at home, read by any, as is misses. */
    private long hits;
    private long misses;

    /** Replaced by any thread. */
    private volatile PollParameters parameters = PollParameters.OFF;

    /**
     * A poller of a loop that does not poll yet. Thread: any.
     *
     * @param onFailure told when a hook throws; its handler is not polled any more, only notified
     */
    public Poller(Consumer<Throwable> onFailure) {
        this.onFailure = Objects.requireNonNull(onFailure, "onFailure");
    }

    /**
     * Polls like this from now on, with all times at 0 (AIO-53). The caller then makes the loop
     * take a turn. Thread: any.
     *
     * @param next how to poll
     */
    public void set(PollParameters next) {
        // Another object even if it is equal, so that the loop notices.
        parameters = new PollParameters(next.maxNanos(), next.grow(), next.shrink());
    }

    /** {@return how the loop polls} Thread: any. */
    public PollParameters parameters() {
        return parameters;
    }

    /** {@return how often polling found something} Thread: any; a snapshot. */
    public long hits() {
        return (long) HITS.getOpaque(this);
    }

    /** {@return how often polling found nothing for as long as it was allowed} Thread: any. */
    public long misses() {
        return (long) MISSES.getOpaque(this);
    }

    /**
     * Makes an event known that can be polled.
     *
     * @param hook how to ask
     * @param onHit queues the handler's task
     * @return what the loop has to tell of it
     */
    public Polled add(PollHook hook, Runnable onHit) {
        return new Polled(this, hook, onHit);
    }

    /** {@return whether the loop polls at all, or has to leave off} */
    public boolean isOn() {
        return parameters.isOn() || begun > 0;
    }

    /** {@return whether some handler's notifications may be suppressed} */
    public boolean hasBegun() {
        return begun > 0;
    }

    /** {@return whether the caller is called by a hook, and must not poll the loop (AIO-39)} */
    public boolean isInHook() {
        return hooks > 0;
    }

    /**
     * How long to poll now at most; what was waited for so far is forgotten.
     *
     * @return the longest time of all candidates and of what is posted; 0 if polling is off
     */
    @SuppressWarnings("ReferenceEquality") // another object was set anew, even if it is equal
    public long budgetNanos() {
        PollParameters now = parameters;
        if (now != used) {
            used = now;
            reset();
        }
        blockNanos = 0;
        long longest = postedNanos;
        for (int i = 0; i < candidates.size(); i++) {
            longest = Math.max(longest, candidates.get(i).timeNanos);
        }
        return longest;
    }

    /**
     * The loop may not poll for now: as if polling were off, with all times at 0 when it may again.
     */
    public void rest() {
        blockNanos = 0;
        if (used.isOn()) {
            used = PollParameters.OFF;
            reset();
        }
    }

    /**
     * Enters polling mode, for those candidates that are not in it.
     *
     * @param nowNanos the time
     */
    public void begin(long nowNanos) {
        for (int i = 0; i < candidates.size(); ) {
            Polled one = candidates.get(i);
            one.begin(nowNanos);
            i += one.candidate ? 1 : 0;
        }
    }

    /**
     * Asks every handler that is in polling mode and not running, once.
     *
     * @return whether one had something, whose task is queued now
     */
    public boolean look() {
        boolean hit = false;
        for (int i = 0; i < candidates.size(); ) {
            Polled one = candidates.get(i);
            hit |= one.begun && one.running == 0 && one.ask();
            i += one.candidate ? 1 : 0;
        }
        return hit;
    }

    /**
     * Leaves polling mode: everyone who got a begin gets an end, and is asked once more. A handler
     * that has had nothing for seven seconds is no candidate any more (AIO-52).
     *
     * @param nowNanos the time
     * @return whether one had something, whose task is queued now
     */
    public boolean end(long nowNanos) {
        boolean hit = false;
        for (int i = 0; i < candidates.size(); ) {
            Polled one = candidates.get(i);
            hit |= one.begun && one.end(nowNanos);
            i += one.candidate ? 1 : 0;
        }
        return hit;
    }

    /** Polling has found something, a task that was posted for instance. */
    public void found() {
        // Opaque: one writer, and readers that want a whole number.
        HITS.setOpaque(this, hits + 1);
    }

    /** Polling has found nothing in all the time there was. */
    public void foundNothing() {
        // Opaque: see found.
        MISSES.setOpaque(this, misses + 1);
    }

    /**
     * The loop has stopped waiting.
     *
     * @param nanos how long it waited, polling and asleep, since {@link #budgetNanos}
     */
    public void waited(long nanos) {
        blockNanos = nanos;
    }

    /** Something was posted to the loop, and is about to run: adapts the time of what is posted. */
    public void servedPosted() {
        postedNanos = used.next(postedNanos, blockNanos);
    }

    /** Leaves polling mode for good: nobody is asked any more. */
    public void close() {
        // Its hook may detach others.
        while (!candidates.isEmpty()) {
            candidates.get(candidates.size() - 1).remove();
        }
    }

    private void reset() {
        postedNanos = 0;
        for (int i = 0; i < candidates.size(); i++) {
            candidates.get(i).timeNanos = 0;
        }
    }

    /** An event that can be polled. Home context only. */
    public static final class Polled {
        private final Poller poller;
        private final PollHook hook;
        private final Runnable onHit;

        private long timeNanos;

        /** When it was first asked after its handler last ran; UNKNOWN until it is asked. */
        private long quietSinceNanos = UNKNOWN;
        private boolean candidate;
        private boolean begun;
        private boolean failed;
        private boolean removed;

        /** How many runs of its handler are on the stack. */
        private int running;

        /** Whether to ask once more when the handler returns. */
        private boolean askLater;

        private Polled(Poller poller, PollHook hook, Runnable onHit) {
            this.poller = poller;
            this.hook = Objects.requireNonNull(hook, "hook");
            this.onHit = Objects.requireNonNull(onHit, "onHit");
        }

        /** Its handler is about to run, and may poll the loop. */
        public void enter() {
            running++;
        }

        /** Its handler has returned, or thrown. */
        public void exit() {
            running--;
            if (running == 0 && askLater) {
                askLater = false;
                boolean unused = ask();
            }
        }

        /** Its handler has run: it is a candidate from now on, and its time is adapted. */
        public void served() {
            if (removed || failed || !poller.used.isOn()) {
                return;
            }
            if (!candidate) {
                candidate = true;
                timeNanos = 0;
                poller.candidates.add(this);
            }
            quietSinceNanos = UNKNOWN;
            timeNanos = poller.used.next(timeNanos, poller.blockNanos);
        }

        /** Its handler is detached: never asked again, and notified as if it had never been. */
        public void remove() {
            removed = true;
            askLater = false;
            if (begun) {
                endQuietly();
            }
            if (candidate) {
                leave();
            }
        }

        /** {@return how long the loop polls for it at most, for diagnoses and tests} */
        public long timeNanos() {
            return timeNanos;
        }

        /** {@return whether its notifications may be suppressed} */
        public boolean hasBegun() {
            return begun;
        }

        /** Enters polling mode. */
        void begin(long nowNanos) {
            if (quietSinceNanos == UNKNOWN) {
                quietSinceNanos = nowNanos;
            }
            if (!begun) {
                begun = true;
                poller.begun++;
                poller.hooks++;
                try {
                    hook.pollBegins();
                } catch (RuntimeException | InternalError e) {
                    fail(e);
                } finally {
                    poller.hooks--;
                }
            }
        }

        /** Ends, and asks once more: now, or when the handler returns. */
        private boolean end(long nowNanos) {
            endQuietly();
            if (running > 0) {
                askLater = true;
                return false;
            }
            boolean hit = !failed && ask();
            if (!hit && candidate && nowNanos - quietSinceNanos > IDLE_NANOS_MAX) {
                leave();
            }
            return hit;
        }

        /** First step of leaving polling mode; the second is {@link #ask}. */
        void endQuietly() {
            begun = false;
            poller.begun--;
            poller.hooks++;
            try {
                hook.pollEnds();
            } catch (RuntimeException | InternalError e) {
                fail(e);
            } finally {
                poller.hooks--;
            }
        }

        /** Whether there is something, whose task is queued then. */
        boolean ask() {
            boolean hit = false;
            poller.hooks++;
            try {
                hit = hook.poll();
            } catch (RuntimeException | InternalError e) {
                fail(e);
            } finally {
                poller.hooks--;
            }
            if (hit) {
                quietSinceNanos = UNKNOWN;
                onHit.run();
            }
            return hit;
        }

        /**
         * From now on it is only notified. An InternalError counts: what the hook asks may lie in a
         * guest's memory that has gone (I7).
         */
        private void fail(Throwable cause) {
            boolean first = !failed;
            failed = true;
            poller.onFailure.accept(cause);
            if (first && begun) {
                endQuietly();
            }
            if (candidate) {
                leave();
            }
        }

        private void leave() {
            candidate = false;
            poller.candidates.remove(this);
        }
    }
}
