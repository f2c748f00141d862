package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Work that is remembered once, however often it is asked for, and done at the end of a slice:
 * publishing a ring, raising an interrupt, counting out. Registered with
 * {@link AioContext#deferCall} or {@link AioContext#deferSettle}; once it runs it is no longer
 * registered and may be registered again, also from within {@link #run} (AIO-78, AIO-80).
 */
public abstract class DeferredCall {
    /** The next call of the one list this one is in. Home context only. */
    private @Nullable DeferredCall next;

    /** Whether this call is in a list. Home context only. */
    private boolean queued;

    /** A call that is not registered. Thread: any. */
    protected DeferredCall() {
    }

    /**
     * Does the work. Called in the home context in which it was registered. An exception is
     * reported to the {@link ErrorHandler}; an {@link Error} leaves the poll.
     */
    protected abstract void run();

    /**
     * What this call is, for diagnoses. Thread: any.
     *
     * @return a short description; by default the name of the class
     */
    public String describe() {
        return getClass().getName();
    }

    private void runIn(AioContext context) {
        if (context.turn().meter().isObserved()) {
            boolean unused =
                    context.turn().meter().observedCallback(this::describe, () -> callIn(context));
        } else {
            callIn(context);
        }
    }

    private boolean callIn(AioContext context) {
        try {
            run();
        } catch (Exception e) {
            context.report(LoopMeter.nameOf(this::describe), e);
        }
        return true;
    }

    /**
     * The two lists that end a slice: calls, then settles. Home context only.
     */
    static final class Epilogue {
        /*
         * Entries leave their list before they run, so one that polls lets the nested poll finish
         * the rest of this epilogue, and none runs twice. Settles run in batches: those that are
         * registered when all calls are done. What a batch itself registers - a reply pushed by a
         * settle needs its own publish - comes after, calls first again.
         */
        private final Fifo calls = new Fifo();
        private final Fifo settles = new Fifo();

        /** How many are in the two lists: every turn asks, and nearly every time it is 0. */
        private int registered;

        void addCall(DeferredCall call) {
            registered += calls.addOnce(call);
        }

        void addSettle(DeferredCall settle) {
            registered += settles.addOnce(settle);
        }

        boolean isEmpty() {
            return registered == 0;
        }

        /**
         * Runs everything registered, and what that registers, until nothing is left.
         *
         * @return whether anything ran
         */
        boolean run(AioContext context) {
            boolean ran = false;
            while (!isEmpty()) {
                while (calls.head != null) {
                    takeFrom(calls).runIn(context);
                }
                long limit = settles.appended;
                while (settles.executed < limit) {
                    takeFrom(settles).runIn(context);
                }
                ran = true;
            }
            return ran;
        }

        /** Takes everything out of its list, uncalled. */
        void abandon() {
            for (Fifo list : new Fifo[] {calls, settles}) {
                while (list.head != null) {
                    DeferredCall unused = takeFrom(list);
                }
            }
        }

        private DeferredCall takeFrom(Fifo list) {
            registered--;
            return list.take();
        }
    }

    private static final class Fifo {
        private @Nullable DeferredCall head;
        private @Nullable DeferredCall tail;
        private long appended;
        private long executed;

        /** {@return how many that added: 1, or 0 if it is in the list already} */
        int addOnce(DeferredCall call) {
            if (call.queued) {
                return 0;
            }
            call.queued = true;
            DeferredCall last = tail;
            if (last == null) {
                head = call;
            } else {
                last.next = call;
            }
            tail = call;
            appended++;
            return 1;
        }

        /** Unlinks the oldest. There is one. */
        DeferredCall take() {
            DeferredCall first = Objects.requireNonNull(head);
            head = first.next;
            if (head == null) {
                tail = null;
            }
            first.next = null;
            first.queued = false;
            executed++;
            return first;
        }
    }
}
