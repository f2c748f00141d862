package dev.quiesce.vhostuser;

import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A back end over a file, in a process of its own that can be killed at any moment. */
final class BackEndProcess implements AutoCloseable {
    private static final String READY = "ready";
    private static final String HOLD = "hold";
    private static final String HOLDS = "holds";
    private static final int DESCRIPTORS = 1024;

    private final Process process;
    private final BufferedReader out;

    private BackEndProcess(Process process) {
        this.process = process;
        this.out = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Starts one; returns when front ends can connect. */
    static BackEndProcess start(Path socket, Path image) throws IOException {
        return start(socket, image, ProcessBuilder.Redirect.INHERIT);
    }

    /** The same; its log goes elsewhere. */
    static BackEndProcess start(Path socket, Path image, ProcessBuilder.Redirect log)
            throws IOException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea",
                "-XX:TieredStopAtLevel=1", "-Xmx256m", "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), BackEndProcess.class.getName(),
                socket.toString(), image.toString())
                .redirectError(log).start();
        BackEndProcess backEnd = new BackEndProcess(process);
        backEnd.awaitSaid(READY);
        return backEnd;
    }

    /** How many sockets and pipes it has. */
    long channels() throws IOException {
        return KernelCounts.targets(process.pid()).stream().filter(KernelCounts::isNumbered)
                .count();
    }

    /** Leaves it room for so many more descriptors as it has now. Nothing may be under way. */
    void leaveDescriptors(int count) throws IOException, InterruptedException {
        int limit = 0;
        for (int left = count; left > 0; limit++) {
            left -= KernelCounts.isOpen(process.pid(), limit) ? 0 : 1;
        }
        limitDescriptors(limit + ":");
    }

    /** Gives it room again. */
    void freeDescriptors() throws IOException, InterruptedException {
        limitDescriptors(DESCRIPTORS + ":");
    }

    private void limitDescriptors(String limits) throws IOException, InterruptedException {
        int status = new ProcessBuilder("prlimit", "--pid", Long.toString(process.pid()),
                "--nofile=" + limits).inheritIO().start().waitFor();
        if (status != 0) {
            throw new IOException("prlimit has failed: " + status);
        }
    }

    /** Whatever else it says is the JVM's, as warnings are. */
    private void awaitSaid(String word) throws IOException {
        String said = "";
        while (!said.equals(word)) {
            said = out.readLine();
            if (said == null) {
                process.destroyForcibly();
                throw new IOException("the back end has ended and never said \"" + word + "\"");
            }
        }
    }

    /** Tells it to finish nothing any more of what its guest writes from now on. */
    void hold() throws IOException {
        Writer in = process.outputWriter(StandardCharsets.UTF_8);
        in.write(HOLD + "\n");
        in.flush();
    }

    /** Whether it has something that it will not finish. After {@link #hold}; true once. */
    boolean holdsSomething() throws IOException {
        return out.ready() && HOLDS.equals(out.readLine());
    }

    /** Kills it with SIGKILL and waits until it is dead, so that it writes nothing any more. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Serves until the test that started it closes its standard input. */
    public static void main(String[] arguments) throws Exception {
        Path socket = Path.of(arguments[0]);
        FileDriver image = FileDriver.open(FileConfig.writable(Path.of(arguments[1])));
        try (Host host = new Host(socket, 2, image)) {
            System.out.println(READY);
            BufferedReader in = new BufferedReader(
                    new InputStreamReader(System.in, StandardCharsets.UTF_8));
            while (HOLD.equals(in.readLine())) {
                host.gate.shut();
                Host.until(() -> host.gate.heldCount() > 0, () -> "nothing came to be held");
                System.out.println(HOLDS);
            }
        }
    }
}
