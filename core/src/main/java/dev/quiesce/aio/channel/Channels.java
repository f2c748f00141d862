package dev.quiesce.aio.channel;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.queue.Line;
import dev.quiesce.aio.source.ReadinessSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The channels of one context, from the first that is attached to the last that is detached, and
 * the selector that its loop sleeps in meanwhile. Home context only, except for {@link #wakeUp}.
 */
final class Channels implements ReadinessSource {
    /*
     * A sleep, and the look of a turn that has not slept, only collect who is ready; `deliver`
     * queues their tasks, after what was posted meanwhile. Neither allocates: the selector calls
     * `collector` instead of filling its set of selected keys, and who is ready is linked. If there
     * is no memory to queue a task, it stays where it is for the next turn.
     *
     * Detaching cancels the key and selects once more, because only a selection deregisters: the
     * channel is free when detach returns. What that selection finds is delivered like the rest.
     *
     * A channel that is closed by anybody takes its key along. The selector then has fewer keys
     * than there are handlers, which is looked at in every turn.
     */
    private final AioContext context;
    private final Selector selector;
    private final List<ChannelHandler> handlers = new ArrayList<>();
    private final Line<ChannelHandler.Ready> ready = new Line<>();
    private final Consumer<SelectionKey> collector = this::collect;

    /** Whether the selector was asked since the last delivery. */
    private boolean looked;

    private Channels(AioContext context, Selector selector) {
        this.context = context;
        this.selector = selector;
    }

    /** The channels of a context, which has some from now on. */
    static Channels of(AioContext context) {
        ReadinessSource source = context.source();
        if (source instanceof Channels channels) {
            return channels;
        }
        Channels channels = new Channels(context, open(context));
        try {
            context.attachSource(channels);
        } catch (RuntimeException e) {
            channels.closeSelector();
            throw e;
        }
        return channels;
    }

    /** Registers a handler's channel; if that fails, everything is as it was. */
    SelectionKey register(ChannelHandler handler, int ops) throws ClosedChannelException {
        boolean registered = false;
        try {
            SelectionKey key = handler.channel().register(selector, ops, handler);
            handlers.add(handler);
            registered = true;
            return key;
        } finally {
            if (!registered) {
                closeIfEmpty();
            }
        }
    }

    /** Ends a registration at once. */
    void unregister(ChannelHandler handler, SelectionKey key) {
        handlers.remove(handler);
        key.cancel();
        if (!closeIfEmpty()) {
            select(0);
        }
    }

    @Override
    public void sleep(long maxNanos) {
        looked = true;
        // A pending interrupt would end every selection at once: hide it, and give it back after.
        boolean interrupted = Thread.interrupted();
        try {
            select(maxNanos);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void wakeUp() {
        selector.wakeup();
    }

    @Override
    public void deliver() {
        if (!looked) {
            select(0);
        }
        looked = false;
        if (selector.keys().size() != handlers.size()) {
            dropLost();
        }
        for (ChannelHandler.Ready next = ready.peek(); next != null; next = ready.peek()) {
            next.deliver();
            ready.poll();
        }
    }

    @Override
    public void describe(List<String> out) {
        for (ChannelHandler handler : handlers) {
            out.add("handler " + handler.name());
        }
    }

    /** The selector is the parker's choice, and all readiness comes from it. */
    @Override
    public boolean isRepeatable() {
        return true;
    }

    @Override
    public void close() {
        for (ChannelHandler handler : handlers) {
            handler.forget();
        }
        handlers.clear();
        while (!ready.isEmpty()) {
            ready.poll();
        }
        closeSelector();
    }

    @Override
    public String toString() {
        return "a selector of " + handlers.size() + " channels";
    }

    private void collect(SelectionKey key) {
        ChannelHandler handler = (ChannelHandler) key.attachment();
        int ops;
        try {
            ops = key.readyOps();
        } catch (CancelledKeyException e) {
            // Closed by another thread just now; dropLost will find it.
            return;
        }
        if (handler.collect(ops)) {
            ready.add(handler.ready());
        }
    }

    private void select(long maxNanos) {
        try {
            if (maxNanos == 0) {
                selector.selectNow(collector);
            } else if (maxNanos == Long.MAX_VALUE) {
                selector.select(collector);
            } else {
                selector.select(collector, wholeMillis(maxNanos));
            }
        } catch (IOException e) {
            // A loop that cannot see its channels must not pretend that it can: it ends, visibly.
            throw new UncheckedIOException("the selector of context " + context.name(), e);
        }
    }

    /** Rounded up, so that a timer is late rather than a loop busy. */
    private static long wholeMillis(long nanos) {
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
        return TimeUnit.MILLISECONDS.toNanos(millis) == nanos ? millis : millis + 1;
    }

    private void dropLost() {
        List<ChannelHandler> lost = new ArrayList<>();
        for (ChannelHandler handler : handlers) {
            if (handler.isLost()) {
                lost.add(handler);
            }
        }
        for (ChannelHandler handler : lost) {
            handlers.remove(handler);
            handler.forget();
            context.report(handler.name(), new IllegalStateException(
                    "the channel of handler " + handler.name() + " in context " + context.name()
                            + " was closed, or its key cancelled, while attached (AIO-21)"));
        }
        closeIfEmpty();
    }

    /** With the last channel the loop goes back to parking. */
    private boolean closeIfEmpty() {
        if (!handlers.isEmpty()) {
            return false;
        }
        context.detachSource(this);
        closeSelector();
        return true;
    }

    private void closeSelector() {
        try {
            selector.close();
        } catch (IOException e) {
            context.report("closing the selector", e);
        }
    }

    private static Selector open(AioContext context) {
        try {
            return context.seams().parker().openSelector(context);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot open a selector for context " + context.name(), e);
        }
    }
}
