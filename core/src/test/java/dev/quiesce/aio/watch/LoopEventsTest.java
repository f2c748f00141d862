package dev.quiesce.aio.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoopEventsTest {
    private long now = 1;
    private final LoopMeter meter = new LoopMeter("io0", Thread::currentThread, () -> now, e -> {
        throw new AssertionError(e);
    });

    @Test
    void shouldLeaveEventsThatARecordingShows(@TempDir Path directory) throws IOException {
        LoopEvents events = new LoopEvents(1000, 5000);
        meter.observe(events);
        Path file = directory.resolve("loop.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("dev.quiesce.SlowCallback");
            recording.enable("dev.quiesce.LongTurn");
            recording.start();

            meter.observedTurn(() -> {
                callback("fast", 999);
                callback("disk0.queue2", 4001);
                return true;
            }, () -> 2);
            events.setThresholds(1, Long.MAX_VALUE);
            callback("now slow", 1);

            recording.stop();
            recording.dump(file);
        }

        // Whoever else defines events has them recorded too, unless they are disabled.
        List<RecordedEvent> recorded = RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("dev.quiesce.")).toList();
        assertThat(recorded).hasSize(3);
        assertThat(recorded).filteredOn(e -> e.getEventType().getName().endsWith("SlowCallback"))
                .allMatch(e -> e.getString("loop").equals("io0"))
                .extracting(e -> e.getString("callback") + " " + e.getDuration("took").toNanos())
                .containsExactlyInAnyOrder("disk0.queue2 4001", "now slow 1");
        assertThat(recorded).filteredOn(e -> e.getEventType().getName().endsWith("LongTurn"))
                .singleElement().satisfies(e -> {
                    assertThat(e.getString("loop")).isEqualTo("io0");
                    assertThat(e.getDuration("took")).isEqualTo(Duration.ofNanos(5000));
                });
    }

    @Test
    void shouldLeaveNothingWhenNobodyRecords() {
        LoopEvents events = new LoopEvents(0, 0);
        meter.observe(events);

        assertThat(callback("slow", 10)).isTrue();

        assertThat(meter.stats().slowCallbacks()).isEqualTo(1);
        assertThat(LoopEvents.isAvailable()).isTrue();
    }

    @Test
    void shouldRefuseNegativeThresholdsAndChangeNothing() {
        LoopEvents events = new LoopEvents(1, 2);

        assertThatThrownBy(() -> events.setThresholds(5, -1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");

        assertThat(events.slowCallbackNanos()).isEqualTo(1);
        assertThat(events.longTurnNanos()).isEqualTo(2);
    }

    private boolean callback(String name, long nanos) {
        return meter.observedCallback(() -> name, () -> {
            now += nanos;
            return true;
        });
    }
}
