package dev.quiesce.vhostuser;


import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is logged, from now until it is closed: every line, whoever writes it. */
final class LogLines implements AutoCloseable {
    private final PrintStream before = System.err;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    LogLines() {
        System.setErr(stream);
    }

    /** Waits until so many lines have come since the last {@link #take}. */
    void await(int count) {
        Host.until(() -> lines(false).size() >= count, () -> "fewer than " + count + " lines");
    }

    /** Whether no line has come since the last {@link #take}. */
    boolean isEmpty() {
        return lines(false).isEmpty();
    }

    /** The lines since the last call. */
    List<String> take() {
        return lines(true);
    }

    private List<String> lines(boolean taken) {
        synchronized (bytes) { // which every write to it does, too
            String all = bytes.toString(StandardCharsets.UTF_8);
            if (taken) {
                bytes.reset();
            }
            return all.lines().toList();
        }
    }

    @Override
    public void close() {
        System.setErr(before);
    }
}
