package dev.quiesce.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The catalogue of mutants fits the sources and the citations, or it proves nothing. */
class MutantCatalogueTest {
    private static final Set<String> LOOP = Set.of("AIO", "IOT");

    private static List<Mutant> mutants;

    @BeforeAll
    static void readCatalogue() {
        mutants = MutantCatalogue.read();
    }

    @Test
    void shouldFindTheLinesOfEachMutantOnce() {
        Offenders offenders = new Offenders("the lines of a mutant occur once in its file;"
                + " adapt verification/src/test/mutants to the changed code");

        for (Mutant mutant : mutants) {
            Path file = SourceTree.root().resolve(mutant.file());
            int times = Files.exists(file) ? mutant.occurrences(SourceTree.lines(file)) : 0;
            if (times != 1) {
                offenders.add(mutant.file().toString(), times + " times: " + mutant);
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldNameATestThatCitesTheRule() {
        Offenders offenders = new Offenders("the test of a mutant cites its rule");

        Citations citations = new Citations(SourceTree.javaFiles());
        for (Mutant mutant : mutants) {
            if (!citations.tests().getOrDefault(mutant.rule(), Set.of()).contains(mutant.test())) {
                offenders.add(mutant.toString(), mutant.test());
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldChangeSomethingAndBeNamedOnce() {
        assertThat(mutants).allMatch(m -> !m.edit().before().equals(m.edit().after()));
        assertThat(mutants).extracting(Mutant::toString).doesNotHaveDuplicates();
    }

    /** What no mutant refutes is never drawn: its citation would only be a claim. */
    @Test
    void shouldHaveAMutantOfEachRuleOfTheLoopThatIsCitedOrSayWhyNot() {
        Offenders offenders = new Offenders("a rule of the loop that a test cites has a mutant in"
                + " verification/src/test/mutants, or an entry there that says why it has none,"
                + " and not both");

        Set<RuleId> refuted = mutants.stream().map(Mutant::rule).collect(Collectors.toSet());
        Set<RuleId> excused = MutantCatalogue.readExcuses().keySet();
        Set<RuleId> cited = new Citations(SourceTree.javaFiles()).tests().keySet();
        for (RuleId rule : cited) {
            boolean isRefuted = refuted.contains(rule);
            if (LOOP.contains(rule.family()) && isRefuted == excused.contains(rule)) {
                offenders.add(rule.toString(), isRefuted ? "has both" : "has neither");
            }
        }
        for (RuleId rule : excused) {
            if (!cited.contains(rule)) {
                offenders.add(rule.toString(), "needs no excuse, since no test cites it");
            }
        }

        offenders.assertNone();
    }
}
