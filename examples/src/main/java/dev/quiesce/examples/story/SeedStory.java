package dev.quiesce.examples.story;

import dev.quiesce.testkit.RunReport;
import dev.quiesce.testkit.Scenario;
import dev.quiesce.testkit.SearchReport;
import java.io.PrintStream;

/**
 * Tells what was wrong with the old designs, as a search over schedules finds it, and that the same
 * search finds nothing in Quiesce. One screen for each of three questions.
 */
public final class SeedStory {
    private static final String RULE = "-".repeat(78);

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
        title("1. Which context is this disk in?", "A disk moves from context A to B. Another "
                + "thread asks where it is.");
        old(ContextReading.ASSERTING.title(),
                SeedScenarios.reading(ContextReading.ASSERTING),
                ContextReading.DifferentContexts.class.getSimpleName());
        out.println("The two are switched one after the other: they differ, legitimately.");
        quiesce(ContextReading.TOLERANT.title(),
                SeedScenarios.reading(ContextReading.TOLERANT));
    }

    private void purge() {
        title("2. Is a purged disk really empty?", "A disk with a command that waits for no I/O "
                + "is purged, to be unplugged.");
        old("a task walks the list; purge = walk, then drain",
                SeedScenarios.purge(RecheckingWalk::new), "purge returned too early");
        out.println("A drain waits for what is counted, and nobody counts the walk.");
        quiesce("Quiesce: the walk is counted before it is posted",
                SeedScenarios.purge(CountedWalk::new));
    }

    private void walk() {
        title("3. Does the disk stay where the walk is?", "A walk over the requests begins, then "
                + "the disk moves from A to B.");
        old("control walks the list itself, as under one big lock",
                SeedScenarios.walkAndMove(DirectWalk::new),
                "a request touched outside its own context");
        old("a task double-checks the context of the disk, then walks",
                SeedScenarios.walkAndMove(RecheckingWalk::new),
                "a double-check that went stale");
        out.println("That the context was right says nothing about the next instant.");
        quiesce("Quiesce: while the walk is counted the disk cannot move",
                SeedScenarios.walkAndMove(CountedWalk::new));
    }

    private void title(String question, String setting) {
        out.println(RULE);
        out.println(question);
        out.println("   " + setting);
    }

    private void old(String design, Scenario scenario, String kind) {
        SearchReport report = SeedScenarios.search(scenario);
        out.println();
        out.println("Before: " + design);
        if (!report.kinds().contains(kind)) {
            out.println("   NOT FOUND: " + kind + " in " + counts(report));
            asExpected = false;
            return;
        }
        RunReport shortest = report.failure(kind);
        int number = 0;
        for (String line : shortest.story()) {
            out.printf("  %2d  %s%n", ++number, line);
        }
        out.println("  =>  " + shortest.detail());
        out.println("      the shortest of " + report.failedSchedules() + " failures in "
                + counts(report));
    }

    private void quiesce(String design, Scenario scenario) {
        SearchReport report = SeedScenarios.search(scenario);
        out.println(design);
        out.println("      " + counts(report) + ": " + (report.isClean() ? "none fails"
                : "FAILED " + report.kinds()));
        asExpected &= report.isClean() && report.isComplete();
    }

    private static String counts(SearchReport report) {
        return report.schedules() + " schedules (with up to "
                + report.preemptionsDone() + " preemptions)";
    }
}
