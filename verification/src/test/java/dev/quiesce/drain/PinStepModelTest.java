package dev.quiesce.drain;

import static dev.quiesce.drain.PinWorld.Step.HOLD;
import static dev.quiesce.drain.PinWorld.Step.OPEN;
import static dev.quiesce.drain.PinWorld.Step.READ;
import static dev.quiesce.drain.PinWorld.Step.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The exact pin: hold, open, root, and only then the context. Any other order has a hole. */
class PinStepModelTest {
    private static final Map<String, Consumer<StepProgram<PinWorld>>> WITH_ROOT = Map.of(
            "move", PinWorld::move,
            "remove, then move", PinWorld::removeThenMove);
    private static final Map<String, Consumer<StepProgram<PinWorld>>> WITHOUT_ROOT = Map.of(
            "insert", PinWorld::insert,
            "insert in vain", PinWorld::insertInVain);

    @Test
    @Rule("BB-45")
    @Rule("I6")
    void shouldPinByTheFourStepsInTheirOrder() {
        assertThat(violatedBy(HOLD, OPEN, ROOT, READ)).isEmpty();
    }

    @Test
    @Rule("BB-45")
    void shouldRefuteLookingWhetherItIsOpenBeforeTheHold() {
        assertThat(violatedBy(OPEN, HOLD, ROOT, READ)).contains("move");
    }

    @Test
    @Rule("BB-45")
    void shouldRefuteNotLookingForARoot() {
        assertThat(violatedBy(HOLD, OPEN, READ)).contains("remove, then move", "insert");
    }

    @Test
    @Rule("BB-45")
    void shouldRefuteReadingTheContextBeforeLookingForARoot() {
        assertThat(violatedBy(HOLD, OPEN, READ, ROOT)).containsExactly("insert");
    }

    @Test
    @Rule("BB-45")
    void shouldRefuteLookingForARootBeforeLookingWhetherItIsOpen() {
        assertThat(violatedBy(HOLD, ROOT, OPEN, READ)).containsExactly("remove, then move");
    }

    @Test
    @Rule("BB-45")
    void shouldRefuteAHoldAlone() {
        assertThat(violatedBy(HOLD, READ)).contains("move");
    }

    private static List<String> violatedBy(PinWorld.Step... order) {
        List<String> violated = new ArrayList<>();
        WITH_ROOT.forEach((name, control) -> explore(name, true, control, order, violated));
        WITHOUT_ROOT.forEach((name, control) -> explore(name, false, control, order, violated));
        return violated;
    }

    private static void explore(String name, boolean root,
            Consumer<StepProgram<PinWorld>> control, PinWorld.Step[] order, List<String> violated) {
        StepReport report = PinWorld.model(name, root)
                .actor("control", control)
                .actor("pinner", a -> PinWorld.pinner(a, order))
                .explore();
        assertThat(report.complete() || report.isRefuted()).as(report.toString()).isTrue();
        if (report.isRefuted()) {
            violated.add(name);
        }
    }
}
