package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The heap of a small JVM runs out where many tasks or an item are queued: all are, or none; and
 * where something waits: nothing is lost. In a process of its own, since nobody else likes that.
 */
class ExhaustedHeapTest {
    @TempDir
    private Path directory;

    @Test
    @Rule("AIO-73")
    void shouldBringHomeAnItemThatIsWithdrawnWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.WITHDRAW);
    }

    @Test
    @Rule("AIO-71")
    void shouldTakeBackAnItemThatIsToBeDoneAtHomeWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.INLINE);
    }

    @Test
    void shouldPostAllTasksAtHomeOrNone() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.POST_ALL_AT_HOME);
    }

    @Test
    void shouldPostAllTasksFromElsewhereOrNone() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.POST_ALL_FROM_ELSEWHERE);
    }

    @Test
    @Rule("AIO-20")
    void shouldCloseAfterAPostThatFoundNoMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.CLOSE);
    }

    @Test
    @Rule("AIO-20")
    void shouldLoseNoTasksThatACloseCannotNameWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.NAME);
    }

    @Test
    @Rule("DRAIN-61")
    void shouldParkRequestsWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.PARK);
    }

    @Test
    @Rule("REQ-22")
    void shouldLetRequestsWaitForADriverWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.LOCK);
    }

    @Test
    @Rule("AIO-26")
    void shouldLoseNoChannelThatIsReadyWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.SELECT);
    }

    @Test
    @Rule("AIO-74")
    void shouldLoseNoWorkerThatGoesToSleepWithoutMemory() throws Exception {
        assertRuns(ExhaustedHeap.Scenario.REST);
    }

    private void assertRuns(ExhaustedHeap.Scenario scenario) throws Exception {
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
            assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
        } finally {
            jvm.destroyForcibly();
        }
        assertThat(jvm.exitValue()).as(Files.readString(output)).isZero();
    }
}
