package dev.quiesce.vhostuser;

import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A back end over a file, in a process of its own that can be killed at any moment. */
final class BackEndProcess implements AutoCloseable {
    private static final String READY = "ready";

    private final Process process;

    private BackEndProcess(Process process) {
        this.process = process;
    }

    /** Starts one; returns when front ends can connect. */
    static BackEndProcess start(Path socket, Path image) throws IOException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea",
                "-XX:TieredStopAtLevel=1", "-Xmx256m", "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), BackEndProcess.class.getName(),
                socket.toString(), image.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        String said = out.readLine();
        if (!READY.equals(said)) {
            process.destroyForcibly();
            throw new IOException("the back end does not come up, but says " + said);
        }
        return new BackEndProcess(process);
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
            System.in.readAllBytes();
        }
    }
}
