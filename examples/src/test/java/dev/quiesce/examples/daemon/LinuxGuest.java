package dev.quiesce.examples.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A Linux kernel in a machine monitor of its own, and what it says on its console. */
final class LinuxGuest implements AutoCloseable {
    private static final long LIMIT_SECONDS = 600;
    private static final String END = "(the end of the console)";

    private final Process process;
    private final BlockingQueue<String> unread = new LinkedBlockingQueue<>();
    private final List<String> console = new ArrayList<>();
    private final Thread reader;

    private LinuxGuest(Process process) {
        this.process = process;
        this.reader = new Thread(this::readConsole, "console");
        reader.start();
    }

    /** Fetches and builds what guests need; a second time there is nothing to do. */
    static void setUp() throws IOException, InterruptedException {
        Process setup = new ProcessBuilder(scripts().resolve("setup.sh").toString())
                .redirectErrorStream(true).start();
        String said = new String(setup.getInputStream().readAllBytes(), UTF_8);
        assertThat(setup.waitFor()).as(said).isZero();
    }

    /** Boots with a disk behind a socket, and runs a command. */
    static LinuxGuest boot(String machine, Path socket, int queues, String command)
            throws IOException {
        return new LinuxGuest(new ProcessBuilder(scripts().resolve("boot.sh").toString(),
                machine, socket.toString(), String.valueOf(queues), command)
                .redirectErrorStream(true).start());
    }

    /** Waits for a line of the console that contains some text. */
    String await(String part) throws InterruptedException {
        long limit = LIMIT_SECONDS;
        for (String line = unread.poll(limit, TimeUnit.SECONDS); line != null;
                line = unread.poll(limit, TimeUnit.SECONDS)) {
            console.add(line);
            if (line.contains(part)) {
                return line;
            }
            assertThat(line).doesNotContain("guest: FAILED").isNotEqualTo(END);
        }
        throw new AssertionError("no '" + part + "' on the console:\n" + said());
    }

    /** Waits until more than some lines of the console, from the first on, contain some text. */
    void awaitMoreThan(long lines, String part) throws InterruptedException {
        while (count(part) <= lines) {
            await(part);
        }
    }

    /** Whether such a line has come, waiting for some time only. */
    boolean hasSaid(String part, long millis) throws InterruptedException {
        String line = unread.poll(millis, TimeUnit.MILLISECONDS);
        while (line != null) {
            console.add(line);
            if (line.contains(part)) {
                return true;
            }
            assertThat(line).doesNotContain("guest: FAILED").isNotEqualTo(END);
            line = unread.poll();
        }
        return false;
    }

    /** Waits until it has gone down by itself, well. */
    void end() throws InterruptedException {
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as(said()).isTrue();
        reader.join();
        unread.drainTo(console);
        assertThat(process.exitValue()).as(said()).isZero();
    }

    /** How many lines of the console contain some text, so far. */
    long count(String part) {
        return console.stream().filter(line -> line.contains(part)).count();
    }

    String said() {
        return String.join("\n", console);
    }

    /** As a power cut does: kill -9 of the machine monitor. */
    void kill() throws InterruptedException {
        List<ProcessHandle> all = process.descendants().toList();
        all.forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        reader.join();
        unread.drainTo(console);
    }

    @Override
    public void close() throws InterruptedException {
        if (process.isAlive()) {
            kill();
        }
    }

    private void readConsole() {
        try (BufferedReader lines = process.inputReader(UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                unread.add(line);
            }
        } catch (IOException e) {
            unread.add("console: " + e);
        }
        unread.add(END);
    }

    private static Path scripts() {
        Path here = Path.of("guest");
        return (Files.isDirectory(here) ? here : Path.of("examples", "guest")).toAbsolutePath();
    }
}
