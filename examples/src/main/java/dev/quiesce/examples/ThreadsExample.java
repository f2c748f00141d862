package dev.quiesce.examples;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.WorkItem;
import dev.quiesce.aio.WorkerPool;
import dev.quiesce.aio.Workers;
import java.io.PrintStream;

/**
 * How threads talk to loops: a bottom half, an event, an item of work, and a thread that waits for
 * them. Each line that it prints begins with the thread on which that step runs.
 *
 * <pre>{@code
 * java -cp examples/target/quiesce.jar dev.quiesce.examples.ThreadsExample
 * }</pre>
 *
 * <p>Threads: {@code main} runs the program and owns the loop called main; {@code io0} owns a loop
 * of its own; {@code worker} does what blocks; {@code guest} belongs to nobody.
 */
public final class ThreadsExample {
    private final LoopSeams seams = LoopSeams.system();
    private final AioContext main = new AioContext("main", seams);
    private final PrintStream out;

    /**
     * Makes an example that has not begun.
     *
     * @param out where each step is told
     */
    ThreadsExample(PrintStream out) {
        this.out = out;
    }

    void run() {
        try (Lease lease = main.acquire()) {    // main is ours: this thread is its home now
            try (WorkerPool pool = Workers.pool(job -> new Thread(job, "worker"), 0, 1);
                    IoThread io = IoThread.start(new IoThreadConfig("io0",
                            job -> new Thread(job, "io0"), seams.withWorkers(pool), false))) {
                askForBottomHalf(io.context());
                setEvent();
                submitWork(io.context());
                waitInVain();
            }                                   // the loop ends first, then the pool
            main.close();                       // at home; refused if anything were left in it
        }
    }

    /** A callback of one loop: made once, then asked for by any thread, as often as it likes. */
    private void askForBottomHalf(AioContext io) {
        Step ran = new Step("bottom half", io);
        BottomHalf half = new BottomHalf(io, "hello", () -> {
            say("runs the bottom half");
            ran.isDone = true;
            main.wake();                        // main waits for this: have it look again
        });
        say("asks for a bottom half of io0");
        half.schedule();                        // any thread; returns at once
        waitFor(ran);
        half.delete();                          // or its loop, when closed, complains of it
    }

    /** An event: set by any thread, any number of times; its handler runs once for all of them. */
    private void setEvent() {
        EventNotifier kick = new EventNotifier("kick");
        Step set = new Step("guest", main);
        new Thread(() -> {
            say("sets an event three times");
            kick.set();
            kick.set();
            kick.set();
            set.isDone = true;
            main.wake();
        }, "guest").start();
        waitFor(set);

        // Nobody serves the event yet, and yet no set is lost: the loop takes up what it finds.
        // A set that comes while the handler runs makes it run again.
        Step handled = new Step("handler", main);
        kick.attach(main, () -> {               // at home; the loop has cleared the event
            say("runs the handler, once");
            handled.isDone = true;
        });
        waitFor(handled);
        kick.detach();                          // at home; the handler does not start again
    }

    /** Work that blocks: done by a worker, so that the loop goes on; its end comes home. */
    private void submitWork(AioContext io) {
        Step over = new Step("work", io);
        WorkItem item = new WorkItem() {
            private int answer;                 // needs no lock: what work writes, run sees

            @Override
            protected void work() {
                say("works, and may block");
                answer = 6 * 7;
            }

            @Override
            protected void run() {              // failure() says what work has thrown
                say("takes the result: " + answer);
                over.isDone = true;
                main.wake();
            }
        };
        io.execute(() -> {                      // an item is submitted at home, so go there
            say("submits work");
            io.workers().submit(io, item);
        });
        waitFor(over);
    }

    /** A wait that could not end is refused, and says who holds it up. */
    private void waitInVain() {
        AioContext nobodys = new AioContext("nobody's", seams); // a loop is not a thread
        try {
            waitFor(new Step("bottom half", nobodys));
        } catch (WaitCannotEndException e) {    // after 200 ms: somebody might have come
            say("is refused: " + e.getMessage());
        }
        try (Lease lease = nobodys.acquire()) {
            nobodys.close();
        }
    }

    /** Polls main until a step is done: what is due in main runs meanwhile, on this thread. */
    private void waitFor(Step step) {
        ControlWait.until(main, step);
        say("has waited for: " + step.name);
    }

    private void say(String what) {
        out.println("[" + Thread.currentThread().getName() + "] " + what);
    }

    /** Something to wait for. */
    private static final class Step implements ControlWait.Target {
        private final String name;
        private final AioContext where;

        /** Written by whoever does the step, who wakes main afterwards; read by main. */
        private volatile boolean isDone;

        Step(String name, AioContext where) {
            this.name = name;
            this.where = where;
        }

        @Override
        public boolean isDone() {
            return isDone;
        }

        @Override
        public void describe(WaitReport report) {
            report.outstanding(name, where, 1, false);
        }
    }

    /**
     * Runs the example.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        Usage.check(ThreadsExample.class, arguments);
        new ThreadsExample(System.out).run();
    }
}
