package dev.quiesce.vhostuser;

import dev.quiesce.aio.EventNotifier;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that waits for the kicks of all queues of a session and sets the queues' doorbells,
 * each of which wakes the context that serves the queue.
 *
 * <p>Session thread, except for what runs on the poller's own thread.
 */
final class KickPoller implements AutoCloseable {
    /*
     * Selector and keys belong to the poller's thread: it alone registers and reads. Descriptors
     * belong to the session: it alone closes them, as all that came over its connection, and only
     * when the poller has come to the command that takes them away. So none is closed while
     * somebody waits for it or reads it, and no two threads are in the closing of what came over
     * one connection. One that the poller has no use for any more, because nobody kicks it or it
     * cannot be read, is left alone until the queue gets another or none, or the session ends.
     *
     * The session leaves commands in a queue and wakes the selector; a wake-up that comes before
     * the wait ends the wait. The first kick descriptor starts the thread: a front end that only
     * connects costs none.
     *
     * A front end can undo what makes its descriptors non-blocking, take a kick's count before the
     * poller does, and so keep it waiting. That is the front end's own loss, until the session
     * wants something of the poller: it then cuts off whatever the poller waits in (see Pollable),
     * for as long as it takes.
     */
    private static final Logger LOG = LoggerFactory.getLogger(KickPoller.class);
    private static final int FAILURES_MAX = 16;
    private static final int CUTS_MAX = 3;
    private static final long PATIENCE_MILLIS = 10;

    private final String name;
    private final ThreadFactory threads;
    private final Runnable onDeaf;
    private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private final @Nullable Watch[] watches; // Poller's thread.
    private final @Nullable Pollable[] kicks; // What each queue has. Session thread.
    private final List<Pollable> former = new ArrayList<>(); // Had, and not closed yet. Likewise.
    private boolean complained; // Poller's thread.
    private volatile boolean closing; // Written by the session, read by the poller.
    private @Nullable Selector selector; // Session thread; its uses see Loop.
    private @Nullable Thread thread;

    /**
     * Runs {@code onDeaf} once, on its own thread, if that ends for any other reason than that
     * this is closed: it then hears no kicks any more.
     */
    KickPoller(String name, int queues, ThreadFactory threads, Runnable onDeaf) {
        this.name = name;
        this.threads = threads;
        this.onDeaf = onDeaf;
        this.watches = new Watch[queues];
        this.kicks = new Pollable[queues];
    }

    /**
     * Hears a queue's kicks from now on, instead of those of an earlier descriptor, which is closed
     * when this returns.
     */
    void watch(int queue, Pollable kick, EventNotifier doorbell) throws IOException {
        Selector waiting;
        try {
            waiting = started();
        } catch (IOException | RuntimeException | Error e) {
            kick.close();
            throw e;
        }
        give(queue, kick);
        command(waiting, () -> replace(waiting, queue, new Watch(queue, kick, doorbell)));
        if (!former.isEmpty()) {
            settle();
        }
    }

    /** Hears a queue's kicks no more. Its descriptor is closed by {@link #settle}. */
    void forget(int queue) {
        Selector waiting = selector;
        if (waiting != null) {
            give(queue, null);
            command(waiting, () -> replace(waiting, queue, null));
        }
    }

    /**
     * Returns when the poller has come to everything that it was told so far, and what it uses no
     * more is closed.
     */
    void settle() {
        Selector waiting = selector;
        Thread running = thread;
        if (waiting != null && running != null) {
            CountDownLatch done = new CountDownLatch(1);
            command(waiting, done::countDown);
            awaitWithoutMercy(() -> !running.isAlive()
                    || done.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS));
            closeFormer();
        }
    }

    /** Closes every descriptor and ends the thread; returns when it has ended. */
    @Override
    public void close() {
        Selector waiting = selector;
        Thread running = thread;
        if (waiting == null || running == null) {
            return;
        }
        closing = true;
        waiting.wakeup();
        awaitWithoutMercy(() -> {
            running.join(PATIENCE_MILLIS);
            return !running.isAlive();
        });
        for (int i = 0; i < kicks.length; i++) {
            give(i, null);
        }
        closeFormer();
        selector = null;
        thread = null;
    }

    private Selector started() throws IOException {
        Selector waiting = selector;
        if (waiting == null) {
            waiting = AFUNIXSelectorProvider.getInstance().openSelector();
            try {
                Thread starting = threads.newThread(new Loop(waiting));
                starting.start();
                thread = starting;
                selector = waiting;
            } finally {
                if (selector == null) { // nobody waits in it, and the next kick begins anew
                    closeSelector(waiting);
                }
            }
        }
        return waiting;
    }

    private void give(int queue, @Nullable Pollable next) {
        Pollable had = kicks[queue];
        kicks[queue] = next;
        if (had != null) {
            former.add(had);
        }
    }

    private void closeFormer() {
        former.forEach(Pollable::close);
        former.clear();
    }

    private void command(Selector waiting, Runnable command) {
        commands.add(command);
        waiting.wakeup();
    }

    private void replace(Selector waiting, int queue, @Nullable Watch next) {
        Watch former = watches[queue];
        watches[queue] = next;
        if (former != null) {
            former.end();
        }
        if (next != null) {
            next.begin(waiting);
        }
    }

    private void closeSelector(Selector waiting) {
        try {
            waiting.close();
        } catch (IOException e) {
            LOG.warn("{}: closing the kick selector failed", name, e);
        }
    }

    /** Waits for the poller, and cuts off what makes it wait. */
    private void awaitWithoutMercy(Wait done) {
        boolean interrupted = false;
        boolean isDone = false;
        while (!isDone) {
            try {
                isDone = done.isOver();
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (!isDone) {
                cutAll();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void cutAll() {
        former.forEach(Pollable::cut);
        for (Pollable kick : kicks) {
            if (kick != null) {
                kick.cut();
            }
        }
    }

    /** Something that a thread waits for, for a short time. */
    @FunctionalInterface
    private interface Wait {
        boolean isOver() throws InterruptedException;
    }

    /** The poller's thread. */
    private final class Loop implements Runnable {
        private final Selector waiting;

        Loop(Selector waiting) {
            this.waiting = waiting;
        }

        @Override
        public void run() {
            try {
                while (!closing) {
                    for (Runnable next = commands.poll(); next != null; next = commands.poll()) {
                        next.run();
                    }
                    select();
                }
            } catch (IOException | RuntimeException e) {
                LOG.error("{}: no kicks are heard any more", name, e);
            } catch (Error e) {
                LOG.error("{}: no kicks are heard any more", name, e);
                throw e;
            } finally {
                end();
            }
        }

        private void select() throws IOException {
            waiting.select();
            Iterator<SelectionKey> ready = waiting.selectedKeys().iterator();
            while (ready.hasNext() && !closing) {
                SelectionKey key = ready.next();
                ready.remove();
                ((Watch) key.attachment()).kicked();
            }
        }

        /** Whatever ends the thread: a guest that nobody hears would wait for ever. */
        private void end() {
            try {
                if (!closing) {
                    onDeaf.run();
                }
            } finally {
                closeSelector(waiting);
                for (int i = 0; i < watches.length; i++) {
                    replace(waiting, i, null);
                }
            }
        }
    }

    /** One queue's kick descriptor. Poller's thread. */
    private final class Watch {
        private final int queue;
        private final Pollable kick;
        private final EventNotifier doorbell;
        private @Nullable SelectionKey key;
        private int failures;
        private int cuts;

        Watch(int queue, Pollable kick, EventNotifier doorbell) {
            this.queue = queue;
            this.kick = kick;
            this.doorbell = doorbell;
        }

        void begin(Selector waiting) {
            try {
                key = kick.register(waiting, this);
                doorbell.set(); // a kick may have gone to the descriptor before (VHU-20)
            } catch (IOException | RuntimeException e) {
                giveUp("cannot be waited for: " + e.getMessage());
            }
        }

        void kicked() {
            try {
                int bytes = kick.drain();
                if (bytes < 0) {
                    LOG.debug("{}: nobody kicks queue {} any more", name, queue);
                    end();
                } else if (bytes > 0) {
                    failures = 0;
                    cuts = 0;
                    doorbell.set();
                } else {
                    fail("is always empty");
                }
            } catch (ClosedChannelException e) {
                cuts++;
                if (cuts >= CUTS_MAX) {
                    giveUp("makes its reader wait");
                }
            } catch (IOException e) {
                fail("cannot be read: " + e.getMessage());
            }
        }

        /** Somebody else took the count: nothing lost. But it must not go on for ever. */
        private void fail(String how) {
            failures++;
            if (failures >= FAILURES_MAX) {
                giveUp(how);
            }
        }

        /** Uses it no more; whoever gave it closes it. */
        void end() {
            SelectionKey registered = key;
            if (registered != null && registered.isValid()) {
                registered.cancel();
            }
            kick.cut(); // what it was read by goes at once
        }

        /** One line per front end, however many it makes unusable. */
        private void giveUp(String why) {
            String line = "{}: kicks of queue {} are not heard any more, its descriptor {}";
            if (complained) {
                LOG.debug(line, name, queue, why);
            } else {
                LOG.warn(line, name, queue, why);
            }
            complained = true;
            end();
        }
    }
}
