package dev.quiesce.vhostuser;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * Writers that a front end makes wait, against the guard of {@link CallLines} that falls asleep:
 * every write that waits is cut off.
 */
class WriteGuardModelTest {
    private static final String FOR_EVER = "writer waits for ever at \"waits in its write\"";

    @Test
    void shouldCutOffEveryWriteThatWaits() {
        StepReport report = explore(WriteGuardModelTest::writer, WriteGuardModelTest::guard);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteAWriterThatLooksBeforeItSaysThatItWrites() {
        StepReport report = explore(
                a -> a.branch("is the guard asleep?",
                                w -> w.guard.isAsleep() ? null : "says so, too late")
                        .step("unparks", w -> w.permit = true)
                        .step("says so, too late", w -> w.line.beginWrite())
                        .stepWhen("waits in its write", w -> w.cut, w -> w.line.endWrite()),
                WriteGuardModelTest::guard);

        assertThat(report.failure()).as(report.toString()).isEqualTo(FOR_EVER);
    }

    @Test
    void shouldRefuteAGuardThatLooksBeforeItSaysThatItSleeps() {
        StepReport report = explore(WriteGuardModelTest::writer,
                a -> a.branch("has anything moved?", w -> w.guard.hasAnyMoved() ? "looks" : null)
                        .step("says that it sleeps", w -> w.guard.fallAsleep())
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("wakes", w -> w.guard.wakeUp())
                        .step("looks", World::look)
                        .branch("is it over?", w -> w.isOver() ? END : "has anything moved?"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(FOR_EVER);
    }

    /** As {@code CallLines.Line.signal}, with a descriptor that waits. */
    private static void writer(StepProgram<World> program) {
        program.step("says that it writes", w -> w.line.beginWrite())
                .branch("is the guard asleep?",
                        w -> w.guard.isAsleep() ? null : "waits in its write")
                .step("unparks", w -> w.permit = true)
                .stepWhen("waits in its write", w -> w.cut, w -> w.line.endWrite());
    }

    /** As {@code CallLines.Guard.run}, which may fall asleep whenever nothing has moved. */
    private static void guard(StepProgram<World> program) {
        program.step("says that it sleeps", w -> w.guard.fallAsleep())
                .branch("has anything moved?", w -> w.guard.hasAnyMoved() ? "wakes" : null)
                .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                .branch("has anything moved now?", w -> w.guard.hasAnyMoved() ? null : "sleeps")
                .step("wakes", w -> w.guard.wakeUp())
                .step("looks", World::look)
                .branch("is it over?", w -> w.isOver() ? END
                        : w.line.wasBusy() ? "looks" : "says that it sleeps");
    }

    private static StepReport explore(
            Consumer<StepProgram<World>> writer, Consumer<StepProgram<World>> guard) {
        return StepModel.of("is a write that waits always cut off?", World::new)
                .actor("writer", writer)
                .actor("guard", guard)
                .fingerprint(World::toString)
                .showing(World::toString)
                .explore();
    }

    /** One line and its guard, whose descriptor and thread are played here. */
    private static final class World {
        private final CallLines.Line line = new CallLines.Line();
        private final CallLines.Guard guard = new CallLines.Guard(
                run -> Thread.currentThread(), new CallLines.Line[] {line});
        private boolean permit;
        private boolean cut;

        void look() {
            cut |= line.isSameWrite();
            line.look();
        }

        boolean isOver() {
            return cut;
        }

        @Override
        public String toString() {
            return (guard.isAsleep() ? "asleep " : "") + (permit ? "permit " : "")
                    + (cut ? "cut " : "") + line;
        }
    }
}
