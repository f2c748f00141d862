package dev.quiesce.examples;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The command line as a process of its own, as a user starts it. */
public final class QuiesceProcess implements AutoCloseable {
    private static final long LIMIT_SECONDS = 100;

    /** A JVM that finds one of these says so on standard error. */
    private static final Set<String> VARIABLES_OF_THE_JVM =
            Set.of("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS");

    private final Process process;
    private final BufferedReader out;
    private final StringBuilder err = new StringBuilder(); // Guarded by itself.
    private boolean errEnded; // Guarded by err.
    private final Thread errReader;

    private QuiesceProcess(Process process) {
        this.process = process;
        out = process.inputReader(StandardCharsets.UTF_8);
        errReader = new Thread(this::readErr, "stderr");
        errReader.start();
    }

    /** Starts it. */
    public static QuiesceProcess start(String... arguments) throws IOException {
        return startWith(List.of(), arguments);
    }

    /** Starts it through another command, which runs what follows. */
    public static QuiesceProcess startWith(List<String> through, String... arguments)
            throws IOException {
        return start(through, Main.class, arguments);
    }

    /** Starts a main class of a test in its place. */
    public static QuiesceProcess startInstead(Class<?> main, String... arguments)
            throws IOException {
        return start(List.of(), main, arguments);
    }

    private static QuiesceProcess start(List<String> through, Class<?> main, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(through);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea",
                "--enable-native-access=ALL-UNNAMED", // as the manifest of the jar says
                "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeAll(VARIABLES_OF_THE_JVM);
        return new QuiesceProcess(builder.start());
    }

    /** Reads lines of standard output up to one that contains some text. */
    public void awaitLine(String part) throws IOException {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.contains(part)) {
                return;
            }
        }
        throw new AssertionError("no line with '" + part + "'; on stderr: " + err());
    }

    /** Waits until standard error contains some text. */
    public void awaitErr(String part) throws InterruptedException {
        synchronized (err) {
            while (err.indexOf(part) < 0) {
                if (errEnded) {
                    throw new AssertionError("no '" + part + "' on stderr: " + err);
                }
                err.wait();
            }
        }
    }

    /** Sends a signal by its name. */
    public void signal(String name) throws IOException, InterruptedException {
        int code = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .start().waitFor();
        if (code != 0) {
            throw new AssertionError("kill -" + name + ": " + code);
        }
    }

    /** Writes a line to standard input. */
    public void type(String line) throws IOException {
        try (BufferedWriter in = process.outputWriter(StandardCharsets.UTF_8)) {
            in.write(line + '\n');
        }
    }

    /** Reads no more of standard output, as `head` does when it has enough. */
    public void closeOut() throws IOException {
        out.close();
    }

    /** The rest of standard output. */
    public String restOfOut() throws IOException {
        StringBuilder rest = new StringBuilder();
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            rest.append(line).append('\n');
        }
        return rest.toString();
    }

    /** Waits for the end; read what it prints first. */
    public int exitCode() throws InterruptedException {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("does not end; on stderr: " + err());
        }
        errReader.join();
        return process.exitValue();
    }

    /** What came on standard error so far. */
    public String err() {
        synchronized (err) {
            return err.toString();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private void readErr() {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                append(line + '\n', false);
            }
        } catch (IOException e) {
            append("stderr: " + e + '\n', false);
        } finally {
            append("", true);
        }
    }

    private void append(String text, boolean last) {
        synchronized (err) {
            err.append(text);
            errEnded |= last;
            err.notifyAll();
        }
    }
}
