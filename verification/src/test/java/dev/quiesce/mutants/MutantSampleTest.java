package dev.quiesce.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.checks.Mutant;
import dev.quiesce.checks.MutantCatalogue;
import dev.quiesce.checks.RuleId;
import dev.quiesce.checks.SourceTree;
import dev.quiesce.mutants.MutantJvm.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A few mutants in each run: {@code -Dquiesce.mutants=all} or a number says how many,
 * {@code -Dquiesce.mutants.seed} draws the same ones again, and {@code -Dquiesce.mutants.of=AIO-33}
 * takes those of some rules only.
 */
class MutantSampleTest {
    private static final int MUTANTS = 6;

    @TempDir
    private Path directory;

    @Test
    @Timeout(value = 60, unit = TimeUnit.MINUTES)
    void shouldTurnTheCitingTestRed(TestReporter reporter) throws IOException {
        long seed = Long.getLong("quiesce.mutants.seed", new Random().nextLong());
        List<Mutant> sample = sample(seed);
        reporter.publishEntry("mutants", "seed " + seed + ": " + sample);

        assertGreenWithoutMutants(sample);
        List<String> survivors = new ArrayList<>();
        for (int i = 0; i < sample.size(); i++) {
            String fate = fate(sample.get(i), Files.createDirectory(directory.resolve("m" + i)));
            if (!fate.isEmpty()) {
                survivors.add(sample.get(i) + ": " + fate);
            }
        }

        assertThat(survivors).as("seed %d: mutants that the citing test did not notice", seed)
                .isEmpty();
    }

    /** Without this, a test that is red for another reason would seem to notice every mutant. */
    private void assertGreenWithoutMutants(List<Mutant> sample) throws IOException {
        MutantJvm jvm = new MutantJvm(Files.createDirectory(directory.resolve("none")));
        List<String> tests = sample.stream().map(MutantSampleTest::test).distinct().toList();

        Outcome outcome = jvm.run(List.of(), tests);

        assertThat(outcome.verdict()).as(outcome.output()).isEqualTo(OneTest.GREEN);
    }

    /** Why the mutant survived, or nothing. */
    private static String fate(Mutant mutant, Path directory) throws IOException {
        MutantJvm jvm = new MutantJvm(directory);
        Files.createDirectory(directory.resolve("classes"));
        Outcome outcome = jvm.run(List.of(jvm.compile(mutant)), List.of(test(mutant)));
        return switch (outcome.verdict()) {
            case OneTest.RED -> "";
            case OneTest.GREEN -> mutant.test() + " stays green";
            case -1 -> mutant.test() + " hangs; a test must fail in time";
            default -> mutant.test() + " did not run: " + outcome.output();
        };
    }

    /** One mutant of each of some rules. */
    private static List<Mutant> sample(long seed) {
        Random random = new Random(seed);
        List<Mutant> all = new ArrayList<>(MutantCatalogue.read());
        String of = System.getProperty("quiesce.mutants.of");
        if (of != null) {
            List<RuleId> rules = RuleId.list(of);
            all.removeIf(mutant -> !rules.contains(mutant.rule()));
            return all;
        }
        String size = System.getProperty("quiesce.mutants", String.valueOf(MUTANTS));
        if (size.equals("all")) {
            return all;
        }
        Collections.shuffle(all, random);
        Map<RuleId, Mutant> oneOfEach = new LinkedHashMap<>();
        all.forEach(mutant -> oneOfEach.putIfAbsent(mutant.rule(), mutant));
        return oneOfEach.values().stream().limit(Integer.parseInt(size)).toList();
    }

    /** The citing test as JUnit names it. */
    private static String test(Mutant mutant) {
        String[] classAndMethod = mutant.test().split("\\.", 2);
        return SourceTree.typeNamed(classAndMethod[0]) + "#" + classAndMethod[1];
    }
}
