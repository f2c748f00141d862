package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import java.io.IOException;
import java.nio.channels.Selector;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a loop falls asleep and how others wake it. A simulation replaces this seam to run other
 * contexts where a thread would block.
 */
public interface Parker {
    /**
     * Puts the loop to sleep until it is unparked, the time has passed, or for no reason at all.
     * An {@link #unpark} that came since the loop last woke makes it return at once. An interrupt
     * of the thread neither is lost nor keeps later sleeps from sleeping. Called in the home
     * context, with the context marked as asleep.
     *
     * @param context the loop that has nothing to do
     * @param maxNanos the longest sleep; {@link Long#MAX_VALUE} means without bound; never 0
     */
    void park(AioContext context, long maxNanos);

    /**
     * Wakes the loop, or makes its next sleep return at once. Thread: any.
     *
     * @param context the loop to wake
     * @param owner the thread that holds the context's lease, or null if nobody does
     */
    void unpark(AioContext context, @Nullable Thread owner);

    /**
     * Called between two looks of a loop that polls for a while before it sleeps, and while it lets
     * tasks gather (AIO-50b); takes no longer than the instruction of the processor that is meant
     * for it. A parker whose clock does not pass by itself lets it pass. Called in the home
     * context, which stays home.
     *
     * @param context the loop that polls
     */
    default void pause(AioContext context) {
        Thread.onSpinWait();
    }

    /**
     * Whether a loop that was not told how to poll may do so: not where it would take the core from
     * whoever is to produce what it polls for. Called in the home context.
     *
     * @param context the loop that would poll
     * @return true if there are cores enough
     */
    default boolean mayPoll(AioContext context) {
        return true;
    }

    /**
     * Whether a loop that may not poll should {@linkplain #offerCore offer its core} before it
     * sleeps: only where whoever is to wake it can run nowhere else. Called in the home context.
     *
     * @param context the loop that would offer its core
     * @return true if there is one core only
     */
    default boolean mayOfferCore(AioContext context) {
        return false;
    }

    /**
     * Lets other threads run, if some are ready, and returns when it is the loop's turn again. The
     * loop then looks once more and, if there is something, does not sleep. Called in the home
     * context, which stays home.
     *
     * @param context the loop that offers its core
     */
    default void offerCore(AioContext context) {
        Inbox.giveWay();
    }

    /**
     * Opens what a loop sleeps in, instead of parking, as long as it has channels: sleeping in it
     * takes the place of {@link #park}, its {@code wakeup} that of {@link #unpark}. Only channels
     * of its provider can be given to the loop. Called in the home context.
     *
     * @param context the loop that gets its first channel
     * @return a selector, the loop's to close
     * @throws IOException if there is none to be had
     */
    default Selector openSelector(AioContext context) throws IOException {
        return Selector.open();
    }

    /**
     * A thread begins to serve a context, for as long as both live; or it has stopped doing so.
     * Thread: any.
     *
     * @param context the context
     * @param serves true for the begin
     */
    default void threadServes(AioContext context, boolean serves) {
        // Only those who count cores need to know.
    }

    /**
     * Whether this parker itself runs the given context when its turn comes, as a simulation does,
     * so that a wait may count on its progress whoever holds its lease. Thread: any.
     *
     * @param context the context asked about
     * @return true if the context is served without a thread of its own
     */
    default boolean serves(AioContext context) {
        return false;
    }

    /**
     * A parker that itself runs the loops, callback by callback, on one stack: a simulation. Every
     * context made with it is {@linkplain #adopt adopted}, and asks it before each turn. Costs the
     * others one test of a final field per turn and task.
     */
    interface Stepping extends Parker {
        /**
         * As {@link Parker#openSelector}; a selector that finds only what this parker decides, or
         * the loop's steps could not be repeated. Called in the home context.
         */
        @Override
        Selector openSelector(AioContext context) throws IOException;

        /**
         * Takes note of a new context. Called by its constructor.
         *
         * @param context the context, still under construction
         * @param loop the handle to step it with
         */
        void adopt(AioContext context, Loop loop);

        /**
         * A turn of the context is about to begin, its own or one nested in a callback: the place
         * to run other contexts. The context is asleep meanwhile. Called in the home context.
         *
         * @param context whose turn it is
         * @param maxWaitNanos how long the turn may sleep, as given to the poll
         */
        void turnBegins(AioContext context, long maxWaitNanos);

        /**
         * A task or timer of the context is about to run. Called in the home context.
         *
         * @param context where
         * @param what says what it is
         */
        void callbackBegins(AioContext context, Supplier<String> what);

        /**
         * How many tasks the slice of a turn has at most; the rest waits for the next turn, in
         * order. Called in the home context.
         *
         * @param context whose slice it is
         * @return at least 1
         */
        int tasksPerSlice(AioContext context);
    }

    /** What a {@link Stepping} parker may do with a context of its own. */
    interface Loop {
        /**
         * {@return whether a turn begun now would not sleep, though it may find nothing} Except for
         * what its selector would find, which is known to the parker that {@linkplain
         * Parker#openSelector opened} it. Thread: the one that owns the context, awake or asleep,
         * or would.
         */
        boolean isDue();

        /**
         * Runs something with the context marked as asleep, so that the caller is not its home
         * meanwhile. Thread: home context.
         *
         * @param meanwhile what to run
         */
        void whileAsleep(Runnable meanwhile);

        /**
         * Ends the loop as the death of its thread does: nothing runs in it any more, what is left
         * is named to the error handler, and whoever waits for it hears of it. Thread: home
         * context, outside a turn.
         *
         * @param because what posts and polls are refused with
         */
        void end(String because);
    }
}
