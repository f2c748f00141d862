package dev.quiesce.aio.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A machine's clock that is stopped, started and advanced, against a thread that reads it twice and
 * against time itself: whatever was read, the clock does not show less afterwards.
 */
class MachineClockStepModelTest {
    private static final String STEPPED_BACK = "the clock shows no less than was read";
    private static final long TICK = 10;

    @Test
    @Rule("AIO-54")
    @Rule("AIO-56")
    void shouldNotStepBackWhenItIsStoppedAndStarted() {
        StepReport report = explore(MachineClockStepModelTest::stopsAndStarts,
                MachineClockStepModelTest::readsTwice);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-54")
    void shouldNotStepBackWhenItIsAdvanced() {
        StepReport report = explore(MachineClockStepModelTest::advances,
                MachineClockStepModelTest::readsTwice);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteAStopThatDoesNotSayThatItIsUnderWay() {
        StepReport report = explore(program -> {
            locks(program, "to stop");
            program.step("looks at the pace", w -> w.next = w.clock.stopped())
                    .step("shows it", w -> w.clock.show(w.next));
            unlocks(program, "stopped");
        }, MachineClockStepModelTest::readsTwice);

        assertThat(report.failure()).as(report.toString()).isEqualTo(STEPPED_BACK);
    }

    @Test
    void shouldRefuteSayingSoAfterTheLookAtThePace() {
        StepReport report = explore(program -> {
            locks(program, "to stop");
            program.step("looks at the pace", w -> w.next = w.clock.stopped())
                    .step("says so", w -> w.clock.beginChange())
                    .step("shows it", w -> w.clock.show(w.next))
                    .step("is done", w -> w.clock.endChange());
            unlocks(program, "stopped");
        }, MachineClockStepModelTest::readsTwice);

        assertThat(report.failure()).as(report.toString()).isEqualTo(STEPPED_BACK);
    }

    @Test
    void shouldRefuteAReaderThatAsksBeforeItLooksAtThePace() {
        StepReport report = explore(MachineClockStepModelTest::stopsAndStarts, program -> program
                .step("reads the line", w -> w.line = w.clock.line())
                .branch("is it changing?", w -> w.clock.isChanging() ? "reads again" : null)
                .step("looks at its pace", w -> w.now = w.clock.timeNanos(w.line))
                .branch("is it that line?", w -> w.clock.isCurrent(w.line) ? null : "reads again")
                .branch("takes it", World::takes)
                .stepWhen("reads again", w -> !w.locked, w -> w.takes(w.clock.nanoTimeLocked())));

        assertThat(report.failure()).as(report.toString()).isEqualTo(STEPPED_BACK);
    }

    @Test
    void shouldRefuteAReaderThatMissesAWholeChange() {
        StepReport report = explore(MachineClockStepModelTest::stopsAndStarts, program -> program
                .step("reads the line", w -> w.line = w.clock.line())
                .step("looks at its pace", w -> w.now = w.clock.timeNanos(w.line))
                .branch("is it changing?", w -> w.clock.isChanging() ? "reads again" : null)
                .branch("takes it", World::takes)
                .stepWhen("reads again", w -> !w.locked, w -> w.takes(w.clock.nanoTimeLocked())));

        assertThat(report.failure()).as(report.toString()).isEqualTo(STEPPED_BACK);
    }

    /** As {@code MachineClock.stop}, and then {@code start}. */
    private static void stopsAndStarts(StepProgram<World> program) {
        locks(program, "to stop");
        program.step("says that it changes", w -> w.clock.beginChange())
                .step("looks at the pace", w -> w.next = w.clock.stopped())
                .step("shows it", w -> w.clock.show(w.next))
                .step("is done", w -> w.clock.endChange());
        unlocks(program, "stopped");
        locks(program, "to start");
        program.step("looks at the pace again", w -> w.next = w.clock.started())
                .step("runs", w -> w.clock.show(w.next));
        unlocks(program, "started");
    }

    /** As {@code MachineClock.advance}. */
    private static void advances(StepProgram<World> program) {
        locks(program, "to advance");
        program.step("says that it changes", w -> w.clock.beginChange())
                .step("looks at the pace", w -> w.next = w.clock.advanced(1))
                .step("shows it", w -> w.clock.show(w.next))
                .step("is done", w -> w.clock.endChange());
        unlocks(program, "advanced");
    }

    private static void locks(StepProgram<World> program, String why) {
        program.stepWhen("locks " + why, w -> !w.locked, w -> w.locked = true);
    }

    private static void unlocks(StepProgram<World> program, String what) {
        program.step("unlocks, " + what, w -> w.locked = false);
    }

    private static void readsTwice(StepProgram<World> program) {
        reads(program, "first");
        reads(program, "second");
    }

    /** As {@code MachineClock.nanoTime}. */
    private static void reads(StepProgram<World> program, String which) {
        String again = which + ": reads again";
        String done = which + ": has read";
        program.step(which + ": reads the line", w -> w.line = w.clock.line())
                .step(which + ": looks at its pace", w -> w.now = w.clock.timeNanos(w.line))
                .branch(which + ": does it run?", w -> w.line.running() ? null : done)
                .branch(which + ": is it changing?", w -> w.clock.isChanging() ? again : null)
                .branch(which + ": is it that line?", w -> w.clock.isCurrent(w.line) ? done : null)
                .stepWhen(again, w -> !w.locked, w -> w.now = w.clock.nanoTimeLocked())
                .step(done, w -> w.takes(w.now));
    }

    private static StepReport explore(
            Consumer<StepProgram<World>> changer, Consumer<StepProgram<World>> reader) {
        return StepModel.of("can a machine's clock step back?", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .actor("changer", changer)
                .actor("time", program -> program
                        .step("passes", w -> w.paceNanos += TICK)
                        .step("passes on", w -> w.paceNanos += TICK))
                .actor("reader", reader)
                .always(STEPPED_BACK, w -> !w.wentBack
                        && (w.locked || w.readNanos <= w.clock.nanoTime()))
                .explore();
    }

    /** A clock that runs, its pace, and what its reader has in hand. */
    private static final class World {
        long paceNanos;
        final MachineClock clock =
                MachineClock.paced("machine", Clock.Kind.VIRTUAL, () -> paceNanos);

        /** Whether the changer has the clock's lock. */
        boolean locked;
        MachineClock.Line next = clock.line();
        MachineClock.Line line = clock.line();
        long now;

        /** The last time that was read. */
        long readNanos;
        boolean wentBack;

        World() {
            clock.start();
        }

        String takes() {
            takes(now);
            return StepProgram.END;
        }

        void takes(long nanos) {
            wentBack |= nanos < readNanos;
            readNanos = nanos;
        }

        @Override
        public String toString() {
            return "pace " + paceNanos + ", shows " + clock.line()
                    + (clock.isChanging() ? ", changing" : "") + (locked ? ", locked" : "")
                    + ", next " + next + ", has " + now + " of " + line
                    + (clock.isCurrent(line) ? ", current" : "") + ", read " + readNanos
                    + (wentBack ? ", went back" : "");
        }
    }
}
