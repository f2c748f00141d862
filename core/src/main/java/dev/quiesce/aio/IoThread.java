package dev.quiesce.aio;

import java.util.concurrent.CountDownLatch;

/**
 * A thread that does nothing but poll one context, from {@link #start} to {@link #close}. If a
 * callback throws an {@link Error} the loop ends early, which is reported: from then on everything
 * that is posted to its context throws, and waits name it.
 */
public final class IoThread implements AutoCloseable {
    private final AioContext context;
    private final Thread thread;
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Task stop = new Stop();

    /** Cleared by the stop task. The loop's thread only. */
    private boolean running = true;

    /** Whether the stop task was posted. Guarded by this. */
    private boolean stopping;

    private IoThread(IoThreadConfig config) {
        context = new AioContext(config.name(), config.seams());
        thread = config.factory().newThread(this::loop);
        if (thread == null) {
            throw new IllegalStateException("the thread factory made no thread");
        }
    }

    /**
     * Starts a thread and returns when it owns its context (IOT-3). Thread: any.
     *
     * @param config what to start
     * @return the running thread
     */
    public static IoThread start(IoThreadConfig config) {
        IoThread ioThread = new IoThread(config);
        ioThread.thread.start();
        ioThread.awaitReady();
        return ioThread;
    }

    /**
     * The context that this thread polls. Thread: any.
     *
     * @return the context
     */
    public AioContext context() {
        return context;
    }

    /**
     * Ends the loop after the turn in which it hears of it, and returns when the thread has ended
     * (IOT-5). Nothing is drained (IOT-6): empty the context before. Tasks that are left never
     * run; they are reported. Idempotent. Thread: any but its own.
     *
     * @throws IllegalStateException if called by this thread itself
     */
    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("IoThread " + context.name()
                    + " would wait for itself if it closed itself");
        }
        synchronized (this) {
            if (!stopping) {
                stopping = true;
                // False: the loop has ended by itself, and there is nothing to stop.
                boolean unused = context.tryPost(stop);
            }
        }
        join();
    }

    private void loop() {
        Lease lease = context.acquire();
        String because = "the loop of context " + context.name() + " has ended";
        try {
            ready.countDown();
            while (running) {
                context.poll(Long.MAX_VALUE);
            }
        } catch (Throwable e) {
            because = because + ": " + e;
            context.report("IoThread " + context.name(), e);
            throw e;
        } finally {
            context.end(because);
            lease.close();
        }
    }

    private void awaitReady() {
        boolean interrupted = false;
        while (ready.getCount() > 0) {
            try {
                ready.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        restore(interrupted);
    }

    private void join() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        restore(interrupted);
    }

    private static void restore(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Stop extends Task {
        @Override
        protected void run() {
            running = false;
        }

        @Override
        public String describe() {
            return "stop";
        }
    }
}
