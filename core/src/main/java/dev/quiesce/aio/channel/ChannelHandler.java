package dev.quiesce.aio.channel;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Callbacks of one channel in one context: they run in its loop as long as the channel is ready,
 * reading before writing (AIO-26). A channel has one handler at most, in all contexts together.
 *
 * <p>Readiness is a level: a callback that does not consume its cause runs again in the next turn,
 * also in a turn that is nested in it (AIO-83). What was ready need not be any more when the
 * callback runs; the channel is non-blocking, so it finds out. An end of stream and an error make a
 * channel ready for whatever its handler asks for.
 *
 * <pre>
 *     ChannelHandler handler =
 *             ChannelHandler.attach(io, "console", channel, this::read, null);
 *     ...
 *     handler.update(this::read, this::write);
 *     ...
 *     handler.detach();
 * </pre>
 *
 * <p>Detach the handler before closing the channel. If the channel is closed first, or its key
 * cancelled, that is reported, and the handler is detached. An interrupt of the loop's thread is
 * hidden from the callbacks, because it would close the channels that they use.
 *
 * <p>Thread: home context, unless it says otherwise. Another thread that wants a handler added or
 * removed {@linkplain AioContext#execute asks} the context (AIO-24).
 */
public final class ChannelHandler {
    private static final int READ_OPS = SelectionKey.OP_READ | SelectionKey.OP_ACCEPT;
    private static final int WRITE_OPS = SelectionKey.OP_WRITE | SelectionKey.OP_CONNECT;

    private final AioContext context;
    private final String name;
    private final SelectableChannel channel;
    private final Channels channels;
    private final Ready ready = new Ready();

    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;

    /** Present while this is attached. */
    private @Nullable SelectionKey key;

    /** What was found ready and no callback has run for. */
    private int readyOps;

    /** Whether this waits to be delivered, or its task is queued. */
    private boolean collected;

    private ChannelHandler(
            AioContext context, String name, SelectableChannel channel, Channels channels) {
        this.context = context;
        this.name = name;
        this.channel = channel;
        this.channels = channels;
    }

    /**
     * Makes a context run callbacks for a channel. With the first one the loop begins to sleep in a
     * selector. Thread: home context.
     *
     * @param context who serves the channel
     * @param name what to call the handler in diagnoses
     * @param channel an open channel in non-blocking mode that is registered with no selector
     * @param onReadable runs while something can be read or accepted; null if never
     * @param onWritable runs while something can be written, or a connection finished; null if
     *     never
     * @return the handler, to be detached
     * @throws IllegalArgumentException if there is no callback, or none that such a channel can
     *     have, or the channel is not of the provider of the loop's selector: the system's, or in
     *     a simulation that of the simulation
     * @throws IllegalStateException if the caller is not home, the context or the channel is
     *     closed, the channel blocks, or it is registered already
     */
    public static ChannelHandler attach(AioContext context, String name, SelectableChannel channel,
            @Nullable Runnable onReadable, @Nullable Runnable onWritable) {
        context.checkHome();
        context.checkOpen();
        Objects.requireNonNull(name, "name");
        int ops = ops(channel, onReadable, onWritable);
        if (ops == 0) {
            throw new IllegalArgumentException(refusal(context, name, channel)
                    + "it has no callback that such a channel could run (AIO-21)");
        }
        checkAttachable(context, name, channel);
        Channels channels = Channels.of(context);
        ChannelHandler handler = new ChannelHandler(context, name, channel, channels);
        handler.onReadable = onReadable;
        handler.onWritable = onWritable;
        try {
            handler.key = channels.register(handler, ops);
        } catch (ClosedChannelException e) {
            throw new IllegalStateException(
                    refusal(context, name, channel) + "the channel is closed (AIO-21)", e);
        } catch (IllegalSelectorException e) {
            throw new IllegalArgumentException(refusal(context, name, channel)
                    + "the channel is not of the provider of the loop's selector (AIO-21)", e);
        }
        return handler;
    }

    /**
     * Replaces both callbacks; what was found ready and is still asked for is not lost (AIO-23).
     * Without any the handler is detached (AIO-21). Thread: home context.
     *
     * @param readable runs while something can be read or accepted; null if never
     * @param writable runs while something can be written, or a connection finished; null if never
     * @throws IllegalArgumentException if such a channel can run neither
     * @throws IllegalStateException if the caller is not home, the handler is not attached, or the
     *     channel is closed
     */
    public void update(@Nullable Runnable readable, @Nullable Runnable writable) {
        context.checkHome();
        SelectionKey current = key;
        if (current == null) {
            throw new IllegalStateException(
                    refusal(context, name, channel) + "the handler is not attached (AIO-21)");
        }
        if (readable == null && writable == null) {
            detach();
            return;
        }
        int ops = ops(channel, readable, writable);
        if (ops == 0) {
            throw new IllegalArgumentException(refusal(context, name, channel)
                    + "it has no callback that such a channel could run (AIO-21)");
        }
        try {
            current.interestOps(ops);
        } catch (CancelledKeyException e) {
            throw new IllegalStateException(
                    refusal(context, name, channel) + "the channel is closed (AIO-21)", e);
        }
        // What is not asked for any more is stale by the time it is asked for again (BUG-27).
        readyOps &= ops;
        onReadable = readable;
        onWritable = writable;
    }

    /**
     * Ends this. When it returns no callback starts again, none runs unless it is the caller, and
     * the channel is registered nowhere: it may be attached to another context (AIO-24). With the
     * last handler of its context the loop goes back to parking. Does nothing if this is not
     * attached. Thread: home context; any, once the context is closed or its loop has ended.
     */
    public void detach() {
        SelectionKey current = key;
        if (current == null || context.isGone()) {
            return;
        }
        context.checkHome();
        forget();
        channels.unregister(this, current);
    }

    /** {@return whether callbacks of this may run} Thread: home context. */
    public boolean isAttached() {
        return key != null;
    }

    /** {@return the channel given at attachment} Thread: any. */
    public SelectableChannel channel() {
        return channel;
    }

    /** {@return the name given at attachment} Thread: any. */
    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return "ChannelHandler[" + name + "]";
    }

    /** Has been found ready; true if it was not collected already. */
    boolean collect(int ops) {
        readyOps |= ops;
        boolean first = !collected;
        collected = true;
        return first;
    }

    /** What the loop runs when this was found ready. */
    Ready ready() {
        return ready;
    }

    /** Whether the channel was closed, or its key cancelled, beneath the handler. */
    boolean isLost() {
        SelectionKey current = key;
        return current != null && !current.isValid();
    }

    /** No callback runs from now on. */
    void forget() {
        key = null;
        onReadable = null;
        onWritable = null;
        readyOps = 0;
    }

    /** Takes one kind of readiness, if its callback can be run now. */
    private boolean take(int ops) {
        SelectionKey current = key;
        if (current == null || !current.isValid() || (readyOps & ops) == 0) {
            return false;
        }
        // Before the callback: one that polls may find the channel ready again (AIO-29, AIO-83).
        readyOps &= ~ops;
        return true;
    }

    private static int ops(SelectableChannel channel,
            @Nullable Runnable readable, @Nullable Runnable writable) {
        int wanted = (readable == null ? 0 : READ_OPS) | (writable == null ? 0 : WRITE_OPS);
        return wanted & channel.validOps();
    }

    private static void checkAttachable(
            AioContext context, String name, SelectableChannel channel) {
        String why = null;
        if (!channel.isOpen()) {
            why = "the channel is closed (AIO-21)";
        } else if (channel.isBlocking()) {
            why = "the channel is in blocking mode (AIO-21)";
        } else if (channel.isRegistered()) {
            why = "the channel is registered already, here or elsewhere (AIO-21)";
        }
        if (why != null) {
            throw new IllegalStateException(refusal(context, name, channel) + why);
        }
    }

    private static String refusal(AioContext context, String name, SelectableChannel channel) {
        return "handler " + name + " of " + channel + " in context " + context.name()
                + ", used by thread " + Thread.currentThread().getName() + ": ";
    }

    /** What the loop runs when the channel was found ready. */
    final class Ready extends Task {
        /** Queues the callbacks for what was found ready, if the handler is still attached. */
        void deliver() {
            if (key == null) {
                collected = false;
            } else {
                context.defer(this);
            }
        }

        @Override
        protected void run() {
            collected = false;
            // A channel is closed when a thread that is interrupted uses it.
            boolean interrupted = Thread.interrupted();
            try {
                Runnable readable = onReadable;
                if (readable != null && take(READ_OPS)) {
                    readable.run();
                }
                Runnable writable = onWritable;
                if (writable != null && take(WRITE_OPS)) {
                    writable.run();
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public String describe() {
            return name;
        }
    }
}
