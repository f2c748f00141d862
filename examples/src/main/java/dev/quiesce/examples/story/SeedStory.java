package dev.quiesce.examples.story;

import dev.quiesce.testkit.RunReport;
import dev.quiesce.testkit.Scenario;
import dev.quiesce.testkit.SearchReport;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/**
 * Tells what was wrong with the old designs, as a search over schedules finds it, and that the same
 * search finds nothing in Quiesce: three questions on one screen of 24 lines.
 */
public final class SeedStory {
    private static final int COLUMNS = 80;

    /** How wide the name of who acts is in the lines of a {@link RunReport}. */
    private static final int ACTOR_COLUMNS = 10;

    private final PrintStream out;
    private boolean asExpected = true;

    private SeedStory(PrintStream out) {
        this.out = out;
    }

    /**
     * Searches and tells.
     *
     * @param out where to
     * @return whether everything was found that the story is about, and nothing in Quiesce
     */
    public static boolean tell(PrintStream out) {
        SeedStory story = new SeedStory(out);
        story.reading();
        story.purge();
        story.walk();
        return story.asExpected;
    }

    private void reading() {
        out.println("1 WHICH CONTEXT IS THIS DISK IN? It moves from A to B; another thread asks.");
        old(ContextReading.ASSERTING.title(), SeedScenarios.reading(ContextReading.ASSERTING),
                ContextReading.DifferentContexts.class.getSimpleName());
        quiesce(ContextReading.TOLERANT.title(),
                SeedScenarios.reading(ContextReading.TOLERANT));
    }

    private void purge() {
        out.println("2 IS A PURGED DISK EMPTY? It has a command that waits for no I/O.");
        old("Before: a task walks the list; a purge walks, then drains",
                SeedScenarios.purge(RecheckingWalk::new), "purge returned too early");
        quiesce("Quiesce: the walk is counted before it is posted",
                SeedScenarios.purge(CountedWalk::new));
    }

    private void walk() {
        out.println("3 DOES THE DISK STAY WHERE THE WALK IS? One begins, then the disk moves.");
        old("Still before: control walks the list itself, as under a lock",
                SeedScenarios.walkAndMove(DirectWalk::new),
                "a request touched outside its own context");
        old("Before: a task double-checks the context, then walks",
                SeedScenarios.walkAndMove(RecheckingWalk::new), "a double-check that went stale");
        quiesce("Quiesce: while the walk is counted the disk cannot move",
                SeedScenarios.walkAndMove(CountedWalk::new));
    }

    private void old(String design, Scenario scenario, String kind) {
        SearchReport report = SeedScenarios.search(scenario);
        if (!report.kinds().contains(kind)) {
            verdict(design, "NOT FOUND in " + report.schedules() + ": " + kind);
            asExpected = false;
            return;
        }
        verdict(design, report.failedSchedules() + " of " + report.schedules() + " fail");
        RunReport shortest = report.failure(kind);
        List<String> steps = shortest.story();
        String line = "";
        for (int i = 0; i < steps.size(); i++) {
            line = step(i + 1, steps.get(i));
            if (i < steps.size() - 1) {
                out.println(line);
            }
        }
        String end = "=> " + shortest.detail();
        if (line.length() + 1 + end.length() <= COLUMNS) {
            out.println(line + " " + end);
        } else {
            out.println(line);
            out.println("     " + end);
        }
    }

    private void quiesce(String design, Scenario scenario) {
        SearchReport report = SeedScenarios.search(scenario);
        verdict(design, report.isClean() ? "none of " + report.schedules() + " fails"
                : "FAILED " + report.kinds());
        asExpected &= report.isClean() && report.isComplete();
    }

    /** A design, and at the right edge what the search has found. */
    private void verdict(String design, String found) {
        int gap = COLUMNS - 2 - design.length() - found.length();
        out.println("  " + design + " ".repeat(Math.max(1, gap)) + found);
    }

    private static String step(int number, String told) {
        String actor = told.substring(0, ACTOR_COLUMNS).strip();
        return String.format(
                Locale.ROOT, "  %2d %-7s %s", number, actor, told.substring(ACTOR_COLUMNS));
    }
}
