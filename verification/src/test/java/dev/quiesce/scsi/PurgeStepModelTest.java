package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A purge cancels what was executed before it and delays what is executed after it, whatever the
 * interleaving; and only because both sides write before they read.
 */
class PurgeStepModelTest {
    @Test
    @Rule("PURGE-2")
    @Rule("PURGE-3")
    @Rule("WALK-21")
    @Rule("VSCSI-38")
    void shouldNeitherMissNorLoseACommand() {
        StepReport report = explore(PurgeStepModelTest::executesTwo, PurgeWorld::purge);

        assertThat(report.complete()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("PURGE-2")
    void shouldRefuteReadingTheStampBeforeTheListIsPublished() {
        StepReport report = explore(
                queue -> PurgeWorld.executeTooEarly(queue, "1"), PurgeWorld::purge);

        assertThat(report.isRefuted()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("PURGE-2")
    void shouldRefuteReadingTheListsBeforeTheUnitIsClosed() {
        StepReport report = explore(
                queue -> PurgeWorld.execute(queue, "1"), PurgeWorld::purgeTooEarly);

        assertThat(report.isRefuted()).as(report.toString()).isTrue();
    }

    private static void executesTwo(StepProgram<PurgeWorld> queue) {
        PurgeWorld.execute(queue, "1");
        PurgeWorld.execute(queue, "2");
    }

    private static StepReport explore(
            Consumer<StepProgram<PurgeWorld>> executes, Consumer<StepProgram<PurgeWorld>> purges) {
        return StepModel.of("does a purge reach every command?", PurgeWorld::new)
                .actor("queue", queue -> {
                    executes.accept(queue);
                    PurgeWorld.turns(queue);
                })
                .actor("control", purges)
                .showing(PurgeWorld::fingerprint)
                .always("a command outlived the purge", PurgeWorld::nothingOldIsLeft)
                .inTheEnd("a command was lost", PurgeWorld::nothingIsLost)
                .explore();
    }
}
