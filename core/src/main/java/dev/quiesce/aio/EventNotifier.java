package dev.quiesce.aio;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.Poller;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An event that is either set or not, such as a guest's kick of a queue. Any thread sets it, any
 * number of times; a context to which it is attached runs a handler once for all sets since the
 * last run. Detached, it keeps its state: a set is never lost, only seen later.
 *
 * <p>The loop clears the event <em>before</em> it calls the handler, so a set that comes while
 * the handler runs makes it run again. What a thread wrote before {@link #set} is visible to the
 * handler run that follows, and to a {@link #testAndClear} that returns true.
 */
public final class EventNotifier {
    /*
     * set:    flag := 1 (RMW); if it was 0, read attachment; if there is one, schedule it
     * attach: attachment := a; read flag; if it is 1, schedule a
     *
     * Writes before reads on both sides, all sequentially consistent: a Dekker pair, so a set that
     * races with an attach is scheduled by at least one of them; being scheduled by both is
     * harmless, since the second finds the attachment queued, or the flag already cleared.
     *
     * A set that finds the flag at 1 schedules nothing: whoever set it does, or attach will. It
     * still writes, so the clearing read-modify-write acquires it too. And it looks whether the
     * loop is armed, as a schedule that finds the attachment queued: whoever queued it may have had
     * no memory to wake the loop. See NotifyProtocol.
     *
     * A setter may have read an attachment that is detached before it schedules it. The queued
     * attachment then finds, in its own home context, that it is not the current one, and leaves
     * flag and handler alone: detach runs in that same context, so "not current" cannot change
     * beneath it. That is why detach guarantees that the handler does not start again.
     *
     * Proved by the step model EventNotifierStepModelTest and the stress test
     * CoalescingNotifier.
     */
    private static final VarHandle FLAG;
    private static final VarHandle ATTACHED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            FLAG = lookup.findVarHandle(EventNotifier.class, "flag", int.class);
            ATTACHED = lookup.findVarHandle(EventNotifier.class, "attached", Attachment.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;

    @SuppressWarnings("UnusedVariable") // read and written through FLAG
    private int flag;
    @SuppressWarnings("UnusedVariable") // read and written through ATTACHED
    private @Nullable Attachment attached;

    /**
     * Creates an event that is not set, attached to nothing. Thread: any.
     *
     * @param name what to call it in diagnoses
     */
    public EventNotifier(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * Sets the event. Never blocks: if the context to which it is attached is gone, the event
     * stays set and nobody hears of it. Thread: any. It throws nothing but what waking the loop
     * throws, for want of memory or of what the parker needs; the event is set by then.
     */
    public void set() {
        boolean isFirst = raise();
        Attachment current = attachedVolatile();
        if (current == null) {
            return;
        }
        if (isFirst) {
            current.schedule();
        } else {
            boolean unused = current.context.notify.wakes(current.context, true);
        }
    }

    /**
     * Clears the event. Thread: any.
     *
     * @return whether it was set
     */
    public boolean testAndClear() {
        // Acquire: what was written before the sets that this clears.
        return (int) FLAG.getAndSet(this, 0) != 0;
    }

    /**
     * Whether the event is set. Thread: any; a snapshot.
     *
     * @return true if it was set since it was last cleared
     */
    public boolean isSet() {
        return (int) FLAG.getVolatile(this) != 0;
    }

    /**
     * Makes the context run the handler whenever the event is set; if it is set already, once in
     * the next slice. The loop clears the event, then calls the handler. Thread: home context of
     * the given context.
     *
     * @param context who serves the event
     * @param onSet the handler
     * @throws IllegalStateException if the caller is not home, the context is closed or its loop
     *     has ended, or the event is attached already
     */
    public void attach(AioContext context, Runnable onSet) {
        attach(new Attachment(this, context, Objects.requireNonNull(onSet, "onSet")));
    }

    /**
     * As {@link #attach(AioContext, Runnable)}, and lets the loop ask for the event while it polls:
     * what the hook finds runs the handler too, whether or not the event is set. The loop may then
     * suppress whoever sets it (AIO-22). Thread: home context of the given context.
     *
     * @param context who serves the event
     * @param onSet the handler
     * @param hook how to ask
     * @throws IllegalStateException if the event is attached already
     */
    public void attach(AioContext context, Runnable onSet, PollHook hook) {
        attach(new Attachment(this, context, Objects.requireNonNull(onSet, "onSet"),
                Objects.requireNonNull(hook, "hook")));
    }

    private void attach(Attachment mine) {
        AioContext context = mine.context;
        context.checkHome();
        context.checkOpen();
        if (!publish(mine)) {
            throw new IllegalStateException("the notifier " + name + " cannot be attached to"
                    + " context " + context.name() + " by thread " + Lease.Ownership.caller()
                    + ": it is attached to " + attachedTo() + " (AIO-21)");
        }
        boolean attached = false;
        try {
            context.remains().register(mine);
            attached = true;
        } finally {
            if (!attached) {
                withdraw(mine);
            }
        }
        if (isSet()) {
            mine.schedule();
        }
    }

    /**
     * Ends the attachment. When it returns the handler will not start again, and does not run
     * unless it is the caller; whether the event is set stays as it is. Does nothing if the event
     * is not attached. Thread: home context of the context to which it is attached; any, if that
     * context is closed or its loop has ended.
     */
    public void detach() {
        Attachment current = attachedVolatile();
        if (current == null) {
            return;
        }
        if (!current.context.isGone()) {
            current.context.checkHome();
            current.leavePolling();
        }
        withdraw(current);
        current.context.remains().registry().remove(current);
    }

    /**
     * The context to which the event is attached. Thread: any; a snapshot.
     *
     * @return the context, or null
     */
    public @Nullable AioContext attachedTo() {
        Attachment current = attachedVolatile();
        return current == null ? null : current.context;
    }

    /**
     * The name given at construction. Thread: any.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return "EventNotifier[" + name + "]";
    }

    /** First step of {@link #set}: true if the flag was clear, so that the caller schedules. */
    boolean raise() {
        return (int) FLAG.getAndSet(this, 1) == 0;
    }

    /** Second step of {@link #set}. */
    @Nullable Attachment attachedVolatile() {
        return (Attachment) ATTACHED.getVolatile(this);
    }

    /** First step of {@link #attach}; the second is {@link #isSet}. */
    boolean publish(Attachment mine) {
        return ATTACHED.compareAndSet(this, null, mine);
    }

    /** Last step of {@link #detach}. */
    void withdraw(Attachment mine) {
        // Volatile: in the order of set and attach, see the note above. Compare: once the context
        // is gone others may have detached and attached meanwhile, and it is not theirs to end.
        ATTACHED.compareAndSet(this, mine, null);
    }

    /** One attachment: the task that a set queues. */
    static final class Attachment extends Task {
        private static final VarHandle PENDING;

        static {
            try {
                PENDING = MethodHandles.lookup()
                        .findVarHandle(Attachment.class, "pending", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final EventNotifier notifier;
        private final AioContext context;
        private final Runnable onSet;

        /** Present if the loop can ask for the event. Home context only, as is pollHit. */
        private final Poller.@Nullable Polled polled;

        /** Whether polling has found something that the handler has not run for. */
        private boolean pollHit;

        /** Whether this task is queued or about to be; cleared before the flag is. */
        @SuppressWarnings("UnusedVariable") // read and written through PENDING
        private int pending;

        Attachment(EventNotifier notifier, AioContext context, Runnable onSet) {
            this(notifier, context, onSet, null);
        }

        Attachment(EventNotifier notifier, AioContext context, Runnable onSet,
                @Nullable PollHook hook) {
            this.notifier = notifier;
            this.context = context;
            this.onSet = onSet;
            this.polled = hook == null ? null : context.sleep().poller().add(hook, this::onPollHit);
        }

        void schedule() {
            if (claim()) {
                // False: the context is gone, there is no handler to run and nobody here to tell.
                boolean unused = queue();
            } else {
                boolean unused = context.notify.wakes(context, true);
            }
        }

        /** First step of {@link #schedule}: true if the caller has to queue this task. */
        boolean claim() {
            return (int) PENDING.getAndSet(this, 1) == 0;
        }

        /** First step of {@link #step}: this task is in no queue any more. */
        void unclaim() {
            PENDING.getAndSet(this, 0);
        }

        @Override
        boolean step() {
            // Before the flag is cleared: a set that finds the flag clear queues this task again.
            unclaim();
            if (notifier.attachedVolatile() != this) {
                return false;
            }
            // Both at once are one run (AIO-27).
            boolean due = notifier.testAndClear() || pollHit;
            if (due) {
                pollHit = false;
                run();
            }
            return due;
        }

        @Override
        protected void run() {
            Poller.Polled asked = polled;
            if (asked == null) {
                onSet.run();
                return;
            }
            asked.enter();
            try {
                onSet.run();
            } finally {
                asked.served();
                asked.exit();
            }
        }

        /** The handler is not asked for any more, and is notified of everything. Home context. */
        void leavePolling() {
            if (polled != null) {
                polled.remove();
            }
        }

        private void onPollHit() {
            pollHit = true;
            schedule();
        }

        @Override
        boolean isLive() {
            return notifier.attachedVolatile() == this && (notifier.isSet() || pollHit);
        }

        @Override
        String leak() {
            return "notifier " + notifier.name + " is still attached";
        }

        @Override
        boolean abandon() {
            unclaim();
            // Set since it looked dead: queued again, or, if the context is gone, left.
            return isLive() && claim() && !queue();
        }

        private boolean queue() {
            if (Remains.tryPost(context, this)) {
                return true;
            }
            // The event stays set: the loop finds that it is due.
            unclaim();
            return context.remains().starve();
        }

        @Override
        void requeue() {
            if (isLive()) {
                schedule();
            }
        }

        @Override
        public String describe() {
            return notifier.name;
        }
    }
}
