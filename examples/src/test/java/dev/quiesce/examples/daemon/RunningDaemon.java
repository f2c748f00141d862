package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine;

/** The command on a thread of the test, with mock guests and a monitor. */
final class RunningDaemon implements AutoCloseable {
    final MockGuests guests = new MockGuests();
    final Path monitor;
    private final CountDownLatch standing = new CountDownLatch(1);
    private final AtomicInteger exitCode = new AtomicInteger(-1);
    private final StringWriter err = new StringWriter();
    private final Thread thread;

    /** Starts, and waits until everything stands. */
    RunningDaemon(Path directory, String... options) {
        monitor = directory.resolve("monitor.sock");
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add("--monitor");
        arguments.add("unix:" + monitor);
        CommandLine line = line(guests, standing::countDown).setErr(new PrintWriter(err));
        thread = new Thread(() -> {
            exitCode.set(line.execute(arguments.toArray(String[]::new)));
            standing.countDown();
        }, "daemon");
        thread.start();
        try {
            standing.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assertThat(err.toString()).isEmpty();
        assertThat(exitCode).hasValue(-1);
    }

    static CommandLine line(MockGuests guests, Runnable standing) {
        return new CommandLine(new StorageDaemonCommand(guests, standing));
    }

    MonitorClient client() throws IOException {
        return MonitorClient.open(monitor);
    }

    /** Waits for the end. */
    int exitCode() throws InterruptedException {
        thread.join();
        return exitCode.get();
    }

    /** Quits, if it has not ended yet. */
    @Override
    public void close() throws Exception {
        if (thread.isAlive()) {
            try (MonitorClient client = client()) {
                client.run("quit");
            }
        }
        assertThat(exitCode()).as(err.toString()).isZero();
    }
}
