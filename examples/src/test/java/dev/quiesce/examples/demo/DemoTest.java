package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A storm that lasts until it has shown what is asked, and not for some time. */
class DemoTest {
    private static final int AN_HOUR = 3_600;
    private static final long LATE_AT_ONCE_NANOS = -1;

    private final StringWriter log = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    @Test
    void shouldMoveDisksUnderAGuestThatReadsAndWrites() throws Exception {
        DemoResult result = runUntilADiskHasMoved(Demo.LATE_NANOS, () -> true);

        assertThat(result.failures()).isEmpty();
        assertThat(err.toString()).isEmpty();
        assertThat(result.matches()).isTrue();
        JsonNode counted = new ObjectMapper().readTree(result.toJson());
        assertThat(counted.get("requests").asLong()).isPositive();
        assertThat(counted.get("contextChanges").asLong()).isPositive();
        assertThat(counted.get("changesWithInFlight").asLong()).isPositive();
        assertThat(counted.get("lostRequests").asLong()).isZero();
    }

    /** A host may have no time for the machine; what is answered in the end was not lost. */
    @Test
    void shouldReportWhatIsLateAndNotFailForIt() throws Exception {
        DemoResult result = runUntilADiskHasMoved(
                LATE_AT_ONCE_NANOS, () -> err.getBuffer().length() > 0);

        assertThat(err.toString()).contains("demo: unanswered for ");
        assertThat(result.failures()).isEmpty();
    }

    private DemoResult runUntilADiskHasMoved(long lateNanos, BooleanSupplier andMore)
            throws Exception {
        Path image = Files.write(directory.resolve("disk.img"), new byte[3_000_001]);
        DemoConfig config = new DemoConfig(image, 2, 2, 2, 16, AN_HOUR, 3, Long.MAX_VALUE);
        Demo[] demo = new Demo[1];
        demo[0] = new Demo(config,
                () -> demo[0].changesWithInFlight() > 0 && andMore.getAsBoolean(),
                new PrintWriter(log), new PrintWriter(err), lateNanos);
        return demo[0].run();
    }
}
