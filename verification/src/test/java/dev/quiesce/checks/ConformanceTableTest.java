package dev.quiesce.checks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.checks.RuleBook.Standing;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The conformance table says which test proves which rule; it is made from the tests' own
 * citations and from docs/spec. Written anew by {@code -Dquiesce.writeConformance=true}.
 */
class ConformanceTableTest {
    private static RuleBook book;
    private static Citations citations;

    @BeforeAll
    static void readRulesAndCitations() {
        book = new RuleBook();
        citations = new Citations(SourceTree.javaFiles());
    }

    @Test
    void shouldListEveryRule() throws IOException {
        String table =
                new ConformanceTable(book, citations, MutantCatalogue.read()).text();
        Path file = SourceTree.root().resolve("docs/conformance.md");

        if (Boolean.getBoolean("quiesce.writeConformance")) {
            Files.writeString(file, table);
        }

        assertThat(Files.readString(file))
                .as("docs/conformance.md; write it anew with -Dquiesce.writeConformance=true")
                .isEqualTo(table);
    }

    @Test
    void shouldProveOrAccountForEveryRule() {
        Offenders offenders = new Offenders("a rule is proved by a test or stands in \"Accounts\"");

        for (RuleId rule : book.known()) {
            if (!citations.tests().containsKey(rule) && book.account(rule).isEmpty()) {
                offenders.add(rule.text(), "no test cites it");
            }
        }

        offenders.assertNone();
    }

    @Test
    @Rule("CONV-1")
    void shouldCiteKnownRulesOnly() {
        Offenders offenders = new Offenders("a rule is cited as FAMILY-number, and exists");

        citations.malformed().forEach((rule, tests) -> offenders.add(rule, tests.toString()));
        citations.tests().forEach((rule, tests) -> {
            if (!book.known().contains(rule)) {
                offenders.add(rule.text(), tests.toString());
            }
        });

        offenders.assertNone();
    }

    @Test
    void shouldNotCiteWhatIsNotApplicableOrOpen() {
        Offenders offenders = new Offenders("what a test proves is neither open nor inapplicable:"
                + " take the row out of \"Accounts\", or the citation from the test");

        citations.tests().forEach((rule, tests) -> book.account(rule).ifPresent(account -> {
            if (account.standing() != Standing.DIFFERS) {
                offenders.add(rule + " is " + account.standing(), tests.toString());
            }
        }));

        offenders.assertNone();
    }

    @Test
    void shouldNameATestOfEachWrittenScenarioByItsNumber() {
        Offenders offenders = new Offenders("a scenario that is told in docs/spec has a test whose"
                + " name begins with its number, as in jcqT04Should");

        for (RuleId rule : book.written()) {
            Set<String> tests = citations.tests().getOrDefault(rule, Set.of());
            if (rule.isScenario() && isToBeTested(rule)
                    && tests.stream().noneMatch(test -> bears(rule, test))) {
                offenders.add(rule.text(), "is cited by " + tests);
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldCiteTheScenarioWhoseNumberTheNameOfATestBears() {
        Offenders offenders = new Offenders(
                "a test whose name begins with the number of a scenario cites it");
        Set<String> citing = new TreeSet<>();
        citations.tests().values().forEach(citing::addAll);

        for (RuleId rule : book.written()) {
            for (String test : citing) {
                if (rule.isScenario() && bears(rule, test)
                        && !citations.tests().getOrDefault(rule, Set.of()).contains(test)) {
                    offenders.add(test, "does not cite " + rule);
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldKnowTheNameOfATestByTheNumberOfItsScenario() {
        RuleId rule = RuleId.of("JCQ-T04");

        assertThat(rule.isScenario()).isTrue();
        assertThat(RuleId.of("AIO-4").isScenario()).isFalse();
        assertThat(bears(rule, "InboxTest.jcqT04ShouldDoSo")).isTrue();
        assertThat(bears(rule, "InboxTest.jcqT041ShouldDoSo")).isFalse();
        assertThat(bears(rule, "InboxTest.shouldDoSo")).isFalse();
        assertThat(bears(rule, "JcqT04Should")).isFalse();
    }

    private static boolean isToBeTested(RuleId rule) {
        return book.account(rule).map(a -> a.standing() == Standing.DIFFERS).orElse(true);
    }

    /** Whether the name of a test, which comes after that of its class, begins with a number. */
    private static boolean bears(RuleId scenario, String test) {
        return test.substring(test.indexOf('.') + 1).startsWith(scenario.testName() + "Should");
    }

    @Test
    void shouldKeepTheRulesInOrder() {
        Offenders offenders = new Offenders("docs/spec has one text and one account for a rule");

        book.mistakes().forEach(mistake -> offenders.add("docs/spec", mistake));

        offenders.assertNone();
    }

    @Test
    void shouldWriteAndReadRanges() {
        String text = "AIO-1, AIO-2, AIO-4 to AIO-7, AIO-7a, AIO-T09 to AIO-T12, I8";

        List<RuleId> ids = RuleId.list(text);

        assertThat(ids).hasSize(12).isSorted().contains(RuleId.of("AIO-T10"));
        assertThat(RuleId.ranges(ids)).isEqualTo(text);
    }
}
