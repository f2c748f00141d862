package dev.quiesce.aio;

import dev.quiesce.aio.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A context owned by the test's thread, whose sleeps only move its clock. */
final class FakeLoop implements AutoCloseable {
    final FakeClock clock = new FakeClock();
    final FakeParker parker = new FakeParker(clock);
    final List<String> errorSites = new ArrayList<>();
    final List<Throwable> errors = new ArrayList<>();

    /** What the tasks of this loop wrote down. */
    final List<String> log = new ArrayList<>();

    final AioContext context;
    private final Lease lease;

    FakeLoop() {
        this("main");
    }

    FakeLoop(String name) {
        context = new AioContext(name, seams());
        lease = context.acquire();
    }

    FakeLoop(String name, ErrorHandler errors) {
        context = new AioContext(name, seams().withErrors(errors));
        lease = context.acquire();
    }

    LoopSeams seams() {
        return new LoopSeams(clock, parker, Workers.inline(), (where, site, cause) -> {
            errorSites.add(site);
            errors.add(cause);
        });
    }

    /** A task that writes down its name. */
    Task logs(String name) {
        return task(name, () -> log.add(name));
    }

    static Task task(String name, Runnable run) {
        return new Task() {
            @Override
            protected void run() {
                run.run();
            }

            @Override
            public String describe() {
                return name;
            }
        };
    }

    static DeferredCall call(String name, Runnable run) {
        return new DeferredCall() {
            @Override
            protected void run() {
                run.run();
            }

            @Override
            public String describe() {
                return name;
            }
        };
    }

    DeferredCall logsCall(String name) {
        return call(name, () -> log.add(name));
    }

    /** Writes down how an asynchronous wait has ended. */
    void ends(@Nullable RuntimeException failure) {
        log.add(failure == null ? "done" : String.valueOf(failure.getMessage()));
    }

    boolean poll() {
        return context.poll(0);
    }

    /** Does something on a thread that is home nowhere, and returns when that is done. */
    static void elsewhere(Runnable what) {
        CompletableFuture.runAsync(what, run -> new Thread(run, "elsewhere").start()).join();
    }

    @Override
    public void close() {
        lease.close();
    }

    static final class FakeClock implements Clock {
        long nowNanos;

        /** How often somebody has looked. */
        long looks;

        @Override
        public long nanoTime() {
            looks++;
            return nowNanos;
        }
    }

    /** Sleeps by moving the clock; asked to sleep without bound, it fails the test. */
    static final class FakeParker implements Parker {
        static final long PAUSE_NANOS = 100;

        final FakeClock clock;
        final List<Long> parks = new ArrayList<>();
        int unparks;
        int pauses;
        boolean mayPoll = true;
        boolean mayOfferCore;
        int offers;

        /** What happens each time the loop offers its core. */
        Runnable whileOffered = () -> { };

        /** What happens in each pause of a loop that polls. */
        Runnable whilePolling = () -> { };

        /** What happens while the loop sleeps, once. */
        @Nullable Runnable asleep;

        /** What happens when somebody wakes the loop. */
        Runnable whileUnparking = () -> { };

        FakeParker(FakeClock clock) {
            this.clock = clock;
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            parks.add(maxNanos);
            Runnable now = asleep;
            asleep = null;
            if (now != null) {
                now.run();
            } else if (maxNanos == Long.MAX_VALUE) {
                throw new AssertionError(context + " would sleep for ever");
            } else {
                clock.nowNanos += maxNanos;
            }
        }

        /** Lets 100 ns pass. */
        @Override
        public void pause(AioContext context) {
            clock.nowNanos += PAUSE_NANOS;
            pauses++;
            whilePolling.run();
        }

        @Override
        public boolean mayPoll(AioContext context) {
            return mayPoll;
        }

        @Override
        public boolean mayOfferCore(AioContext context) {
            return mayOfferCore;
        }

        @Override
        public void offerCore(AioContext context) {
            offers++;
            whileOffered.run();
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            unparks++;
            whileUnparking.run();
        }
    }
}
