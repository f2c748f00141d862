package dev.quiesce.vhostuser;

import dev.quiesce.aio.EventNotifier;
import java.io.IOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Iterator;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
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
     * Selector, keys and descriptors belong to the poller's thread: it alone registers, reads and
     * closes, so no descriptor is closed while somebody waits for it or reads it. The session
     * leaves commands in a queue and wakes the selector; a wake-up that comes before the wait ends
     * the wait. The first kick descriptor starts the thread: a front end that only connects costs
     * none.
     */
    private static final Logger LOG = LoggerFactory.getLogger(KickPoller.class);
    private static final int FAILURES_MAX = 16;

    private final String name;
    private final ThreadFactory threads;
    private final Queue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private final @Nullable Watch[] watches; // Poller's thread.
    private @Nullable Selector selector; // Session thread; its uses see Loop.
    private @Nullable Thread thread;

    KickPoller(String name, int queues, ThreadFactory threads) {
        this.name = name;
        this.threads = threads;
        this.watches = new Watch[queues];
    }

    /** Hears a queue's kicks from now on, instead of those of an earlier descriptor. */
    void watch(int queue, Pollable kick, EventNotifier doorbell) throws IOException {
        try {
            Selector waiting = started();
            command(waiting, () -> replace(waiting, queue, new Watch(queue, kick, doorbell)));
        } catch (IOException | RuntimeException e) {
            kick.close();
            throw e;
        }
    }

    /** Hears a queue's kicks no more. */
    void forget(int queue) {
        Selector waiting = selector;
        if (waiting != null) {
            command(waiting, () -> replace(waiting, queue, null));
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
        command(waiting, () -> {
            for (int i = 0; i < watches.length; i++) {
                replace(waiting, i, null);
            }
            closeSelector(waiting);
        });
        joinUninterruptibly(running);
        selector = null;
        thread = null;
    }

    private Selector started() throws IOException {
        Selector waiting = selector;
        if (waiting == null) {
            waiting = AFUNIXSelectorProvider.getInstance().openSelector();
            selector = waiting;
            thread = threads.newThread(new Loop(waiting));
            thread.start();
        }
        return waiting;
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

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The poller's thread. */
    private final class Loop implements Runnable {
        private final Selector waiting;

        Loop(Selector waiting) {
            this.waiting = waiting;
        }

        @Override
        public void run() {
            while (true) {
                for (Runnable next = commands.poll(); next != null; next = commands.poll()) {
                    next.run();
                }
                if (!waiting.isOpen()) {
                    return;
                }
                select();
            }
        }

        private void select() {
            try {
                waiting.select();
                Iterator<SelectionKey> ready = waiting.selectedKeys().iterator();
                while (ready.hasNext()) {
                    SelectionKey key = ready.next();
                    ready.remove();
                    ((Watch) key.attachment()).kicked();
                }
            } catch (IOException | ClosedSelectorException e) {
                LOG.error("{}: no kicks are heard any more", name, e);
                closeSelector(waiting);
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

        Watch(int queue, Pollable kick, EventNotifier doorbell) {
            this.queue = queue;
            this.kick = kick;
            this.doorbell = doorbell;
        }

        void begin(Selector waiting) {
            try {
                key = kick.register(waiting, this);
            } catch (IOException | RuntimeException e) {
                giveUp("cannot be waited for: " + e.getMessage());
            }
        }

        void kicked() {
            try {
                if (kick.drain() < 0) {
                    giveUp("has ended");
                    return;
                }
                failures = 0;
                doorbell.set();
            } catch (IOException e) {
                // Somebody else took the count: nothing lost. But it must not go on for ever.
                failures++;
                if (failures >= FAILURES_MAX) {
                    giveUp("cannot be read: " + e.getMessage());
                }
            }
        }

        void end() {
            SelectionKey registered = key;
            if (registered != null && registered.isValid()) {
                registered.cancel();
            }
            kick.close();
        }

        private void giveUp(String why) {
            LOG.debug("{}: the kick descriptor of queue {} {}", name, queue, why);
            end();
        }
    }
}
