package dev.quiesce.examples.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.RunReport;
import dev.quiesce.testkit.SearchReport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class SeedStoryTest {
    private static final int COLUMNS_MAX = 80;
    private static final int LINES_MAX = 24;

    @Test
    @Rule("BB-44")
    void shouldFindThatTheContextsOfBackendAndRootDiffer() {
        SearchReport old = SeedScenarios.search(SeedScenarios.reading(ContextReading.ASSERTING));

        assertThat(old.kinds()).containsExactly("DifferentContexts");
        assertThat(old.failure("DifferentContexts").detail())
                .isEqualTo("backend in A, root node in B");
        assertThat(old.isComplete()).isTrue();
    }

    @Test
    @Rule("BB-43")
    @Rule("BB-44")
    void shouldReadTheContextInTheMiddleOfAMove() {
        SearchReport quiesce =
                SeedScenarios.search(SeedScenarios.reading(ContextReading.TOLERANT));

        assertThat(quiesce.isClean()).as(quiesce.toString()).isTrue();
        assertThat(quiesce.isComplete()).isTrue();
        assertThat(quiesce.schedules()).isGreaterThan(100);
    }

    @Test
    @Rule("WALK-7")
    @Rule("SCHED-2")
    void shouldFindThatAnUncountedWalkOutlivesThePurge() {
        SearchReport old = SeedScenarios.search(SeedScenarios.purge(RecheckingWalk::new));

        RunReport shortest = old.failure("purge returned too early");
        assertThat(shortest.story()).containsExactly(
                "control   purges the disk", "          purge has returned");
        assertThat(shortest.detail()).contains("1 command still listed");
    }

    @Test
    @Rule("WALK-12")
    @Rule("PURGE-2")
    @Rule("SCHED-2")
    void shouldPurgeWithEveryRequestGone() {
        SearchReport quiesce = SeedScenarios.search(SeedScenarios.purge(CountedWalk::new));

        assertThat(quiesce.isClean()).as(quiesce.toString()).isTrue();
        assertThat(quiesce.isComplete()).isTrue();
        assertThat(quiesce.schedules()).isGreaterThan(100);
    }

    @Test
    @Rule("WALK-8")
    void shouldFindThatTheDoubleCheckGoesStale() {
        SearchReport old = SeedScenarios.search(SeedScenarios.walkAndMove(RecheckingWalk::new));

        RunReport shortest = old.failure("a double-check that went stale");
        List<String> story = shortest.story();
        assertThat(story).contains(
                "A         runs: is A still the context of the disk?",
                "A         runs: it was: walks over the requests");
        assertThat(shortest.detail()).startsWith("in A, while the disk ");
    }

    @Test
    @Rule("WALK-5")
    void shouldFindThatControlTouchesRequestsOfAnotherContext() {
        SearchReport old = SeedScenarios.search(SeedScenarios.walkAndMove(DirectWalk::new));

        assertThat(old.kinds()).containsExactly("a request touched outside its own context");
        assertThat(old.failedSchedules()).isEqualTo(old.schedules());
    }

    @Test
    @Rule("WALK-11")
    @Rule("SCHED-3")
    void shouldKeepTheDiskWhereItIsUntilTheWalkIsOver() {
        SearchReport quiesce = SeedScenarios.search(SeedScenarios.walkAndMove(CountedWalk::new));

        assertThat(quiesce.isClean()).as(quiesce.toString()).isTrue();
        assertThat(quiesce.isComplete()).isTrue();
        assertThat(quiesce.schedules()).isGreaterThan(100);
    }

    @Test
    void shouldTellEverythingOnOneScreen() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        boolean asExpected =
                SeedStory.tell(new PrintStream(bytes, true, StandardCharsets.UTF_8));

        String told = bytes.toString(StandardCharsets.UTF_8);
        assertThat(asExpected).as(told).isTrue();
        assertThat(told.lines()).allMatch(line -> line.length() <= COLUMNS_MAX);
        assertThat(told.lines().count()).as(told).isLessThanOrEqualTo(LINES_MAX);
        assertThat(told).contains("=> backend in A, root node in B",
                "=> 1 command still listed, its walk not begun",
                "=> tag 1 of A touched by control",
                "=> in A, while the disk moves");
    }
}
