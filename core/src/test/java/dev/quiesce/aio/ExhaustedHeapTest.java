package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The heap of a small JVM runs out where many tasks or an item are queued: all are, or none; and
 * where something waits: nothing is lost. In a process of its own, since nobody else likes that.
 */
class ExhaustedHeapTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    @Rule("AIO-20")
    @Rule("AIO-26")
    @Rule("AIO-71")
    @Rule("AIO-73")
    @Rule("AIO-74")
    @Rule("DRAIN-61")
    @Rule("REQ-22")
    void shouldLoseNothingWithoutMemory(ExhaustedHeap.Scenario scenario) throws Exception {
        Path output = directory.resolve("output");
        Process jvm = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                // What is left is then the same for all threads.
                "-XX:-UseTLAB",
                "-cp", System.getProperty("java.class.path"),
                ExhaustedHeap.class.getName(), scenario.name())
                .redirectErrorStream(true).redirectOutput(output.toFile()).start();
        try {
            assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).as("%s ended", scenario).isTrue();
        } finally {
            jvm.destroyForcibly();
        }
        assertThat(jvm.exitValue()).as("%s: %s", scenario, Files.readString(output)).isZero();
    }
}
