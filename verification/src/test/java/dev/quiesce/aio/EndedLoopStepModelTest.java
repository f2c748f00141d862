package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * The end of a loop against a main context that comes to depend on it and judges: no wait is left
 * with a judgement that the end has made stale.
 */
class EndedLoopStepModelTest {
    private static final String UNHEARD = "the wait will never look again";

    @Test
    @Rule("IOT-7")
    void shouldLookAgainAfterTheEndOfALoop() {
        StepReport report = explore(EndedLoopStepModelTest::dependsOn, World::ends);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteLookingForTheEndBeforeTheEntry() {
        StepReport report = explore(program -> program
                .step("is it over?", w -> w.seenOver = w.remains().isOver())
                .step("enters", w -> w.remains().enter(w.main))
                .step("counts itself", World::countIfOver), World::ends);

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNHEARD);
    }

    @Test
    void shouldRefuteAnEndThatTellsBeforeItIsOver() {
        StepReport report = explore(EndedLoopStepModelTest::dependsOn, program -> program
                .step("tells who depends", w -> w.remains().tellDependants())
                .step("is over", w -> w.remains().beOver()));

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNHEARD);
    }

    /** As {@code Remains.addDependant}. */
    private static void dependsOn(StepProgram<World> program) {
        program.step("enters", w -> w.remains().enter(w.main))
                .step("is it over?", w -> w.seenOver = w.remains().isOver())
                .step("counts itself", World::countIfOver);
    }

    private static StepReport explore(
            Consumer<StepProgram<World>> depends, Consumer<StepProgram<World>> ends) {
        return StepModel.of("the end of a loop against who depends on it", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .actor("poster", depends)
                .actor("main", program -> program
                        .step("reads the count", w -> w.judged = w.main.turn().waiters().ends())
                        .step("judges", w -> w.hopeless = w.remains().isOver()))
                .actor("loop", ends)
                .inTheEnd(UNHEARD, w -> w.hopeless || w.main.turn().waiters().ends() != w.judged)
                .explore();
    }

    private static final class World {
        final AioContext main = new AioContext("main", LoopSeams.system());
        final AioContext loop = new AioContext("loop", LoopSeams.system());
        boolean seenOver;
        boolean hopeless;
        int judged = -1;

        Remains remains() {
            return loop.remains();
        }

        /** As {@code Remains.tellOfTheEnd}. */
        static void ends(StepProgram<World> program) {
            program.step("is over", w -> w.remains().beOver())
                    .step("tells who depends", w -> w.remains().tellDependants());
        }

        void countIfOver() {
            if (seenOver) {
                Remains.tellOfTheEnd(main);
            }
        }

        @Override
        public String toString() {
            return "over " + remains().isOver() + ", counted " + main.turn().waiters().ends()
                    + ", seen " + seenOver + ", judged " + judged + (hopeless ? ", hopeless" : "")
                    + (remains().dependsOnThis(main) ? ", entered" : "");
        }
    }
}
