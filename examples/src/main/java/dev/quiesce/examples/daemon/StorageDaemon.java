package dev.quiesce.examples.daemon;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.examples.daemon.machine.Failures;
import dev.quiesce.examples.daemon.machine.Machine;
import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.monitor.Commands;
import dev.quiesce.examples.daemon.monitor.MonitorServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The life of the daemon: what was asked for is built in order, then the main context is polled
 * until somebody says stop, then everything is taken down in order.
 *
 * <p>Threads: {@link #run} belongs to one thread; {@link #stop}, {@link #awaitEnd} and
 * {@link #isSound} are for any.
 */
final class StorageDaemon {
    private static final int WORKERS_MAX = 16;
    private static final String BY_MONITOR = "host-qmp-quit";

    private final Transport transport;
    private final List<MonitorServer> monitors = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger workerNumbers = new AtomicInteger();
    private final Workers workers = Workers.pool(
            job -> new Thread(job, "worker-" + workerNumbers.incrementAndGet()), 0, WORKERS_MAX);
    private final AioContext main = new AioContext("main",
            LoopSeams.system().withWorkers(workers).withErrors(new ErrorLog()));

    /** Main context only: why to stop, or null. */
    private @Nullable String stopReason;

    /** Written by the main thread while it takes everything down, read by any. */
    private volatile boolean sound = true;

    StorageDaemon(Transport transport) {
        this.transport = transport;
    }

    /**
     * Builds, serves until told to stop, and takes down, also if building fails half way.
     *
     * @param steps what to build, in order
     * @param pidFile where to put the number of this process when everything stands, or null
     * @param standing runs when everything stands
     * @throws StepFailedException if something cannot be built
     */
    void run(List<DaemonStep> steps, @Nullable Path pidFile, Runnable standing)
            throws StepFailedException {
        try (Lease lease = main.acquire()) {
            Machine machine = new Machine(main, transport, this::broadcast);
            try {
                for (DaemonStep step : steps) {
                    build(machine, step);
                }
                serve(machine, pidFile, standing);
            } finally {
                takeDown(machine);
            }
        } finally {
            workers.close();
            ended.countDown();
        }
    }

    /** Says stop. Any thread; returns at once. */
    void stop(String reason) {
        main.execute(() -> {
            if (stopReason == null) {
                stopReason = reason;
            }
        });
    }

    /** Waits until {@link #run} has returned. Any thread but that of run. */
    void awaitEnd() throws InterruptedException {
        ended.await();
    }

    /** False if something that had been written may not be durable, or did not come down. */
    boolean isSound() {
        return sound;
    }

    private void build(Machine machine, DaemonStep step) throws StepFailedException {
        try {
            if (step instanceof DaemonStep.Build build) {
                await(machine.run(step.option(), () -> build.operation().apply(machine)));
            } else if (step instanceof DaemonStep.Listen listen) {
                Commands commands = new Commands(machine, () -> stop(BY_MONITOR));
                monitors.add(MonitorServer.listen(listen.socket(), main, machine, commands));
            }
        } catch (IOException | RuntimeException e) {
            throw new StepFailedException(step.option(), Failures.unwrapped(e));
        }
    }

    private void serve(Machine machine, @Nullable Path path, Runnable standing)
            throws StepFailedException {
        try (PidFile file = path == null ? null : PidFile.write(path)) {
            standing.run();
            while (stopReason == null) {
                main.poll(Long.MAX_VALUE);
            }
            broadcast("SHUTDOWN", JsonNodeFactory.instance.objectNode()
                    .put("guest", false).put("reason", stopReason));
            takeDown(machine);
        } catch (IOException e) {
            throw new StepFailedException("--pidfile " + path, e);
        }
    }

    /** Whatever was built, in whatever state. The second time there is nothing left. */
    private void takeDown(Machine machine) {
        attempt(() -> await(machine.shutDown()));
        monitors.forEach(MonitorServer::close);
        monitors.clear();
        attempt(machine::close);
        boolean left;
        do {
            left = main.poll(0);
        } while (left);
    }

    private void attempt(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            sound = false;
            main.seams().errors().onError(main, "shutting down", Failures.unwrapped(e));
        }
    }

    private void broadcast(String event, ObjectNode data) {
        for (MonitorServer monitor : monitors) {
            monitor.sendEvent(event, data);
        }
    }

    private void await(CompletionStage<Void> stage) {
        CompletableFuture<Void> future = stage.toCompletableFuture();
        // One that fails elsewhere is seen: the wake comes when the future is done, not the stage.
        CompletableFuture<Void> unused = future.whenComplete((done, failure) -> main.wake());
        while (!future.isDone()) {
            main.poll(Long.MAX_VALUE);
        }
        future.join();
    }
}
