package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;

/** A loop that one actor turns, closes or ends, and what becomes of what is due in it. */
class EndingLoop {
    /** What things that are due are called, and nothing else here. */
    static final String DUE = "what is due";

    final AioContext context;

    /** How often what is due ran; written at home. */
    volatile int ran;

    /** How often it was reported as left. */
    volatile int reported;

    EndingLoop() {
        this(Task.Queues.newInbox());
    }

    EndingLoop(Inbox<Task> inbox) {
        context = new AioContext("loop", LoopSeams.system().withErrors(
                (where, site, cause) -> countReport(site, cause)), inbox);
    }

    /** One turn. */
    final void turn() {
        Lease lease = context.acquire();
        context.poll(0);
        lease.close();
    }

    /** Returns false if something is left. */
    final boolean close() {
        Lease lease = context.acquire();
        boolean closed = isAccepted(context::close);
        lease.close();
        return closed;
    }

    /** The end, without a last turn. */
    final void end() {
        Lease lease = context.acquire();
        context.end("the end");
        lease.close();
    }

    static boolean isAccepted(Runnable call) {
        try {
            call.run();
            return true;
        } catch (IllegalStateException refused) {
            return false;
        }
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField") // at home only
    final void countRun() {
        ran++;
    }

    private synchronized void countReport(String site, Throwable cause) {
        if ((site + cause).contains(DUE)) {
            reported = reported + 1;
        }
    }
}
