package dev.quiesce.checks;

import dev.quiesce.checks.RuleBook.Account;
import dev.quiesce.checks.RuleBook.Standing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The text of docs/conformance.md. */
final class ConformanceTable {
    private static final String INTRODUCTION = """
            # Conformance

            Which test proves which rule. Made by `ConformanceTableTest` from the `@Rule` citations
            of the tests and from [the rules](spec/README.md); it fails when this page is out of
            date. Write it anew with

                ./mvnw -q -pl verification -am test -Dtest=ConformanceTableTest \\
                    -Dquiesce.writeConformance=true -Dsurefire.failIfNoSpecifiedTests=false

            * **proved**: the tests named would fail if the rule did not hold.
            * **differs**: we do something else on purpose, for the reason given in the decision;
              tests that prove what we do are named.
            * **not applicable**: the rule is about something that does not exist here.
            * **open**: nothing proves it yet, for the reason given.

            The last column counts the [mutants](testing.md#mutants): code that breaks the rule on
            purpose, which a test named here has to notice.

            No rule is left out: one that is none of these fails the build.
            """;

    private final RuleBook book;
    private final Map<RuleId, Set<String>> citations;
    private final Map<RuleId, Long> mutants;

    ConformanceTable(RuleBook book, Citations citations, List<Mutant> mutants) {
        this.book = book;
        this.citations = citations.tests();
        this.mutants = mutants.stream()
                .collect(Collectors.groupingBy(Mutant::rule, Collectors.counting()));
    }

    String text() {
        StringBuilder text = new StringBuilder(INTRODUCTION);
        families().forEach((family, rules) -> appendFamily(text, family, rules));
        return text.toString();
    }

    private Map<String, List<RuleId>> families() {
        Map<String, List<RuleId>> families = new TreeMap<>();
        Set<RuleId> all = new TreeSet<>(book.known());
        all.addAll(citations.keySet());
        for (RuleId rule : all) {
            families.computeIfAbsent(rule.family(), f -> new ArrayList<>()).add(rule);
        }
        return families;
    }

    private void appendFamily(StringBuilder text, String family, List<RuleId> rules) {
        List<RuleId> shown = rules.stream().filter(this::isShown).toList();
        Map<String, List<RuleId>> open = rules.stream().filter(rule -> !isShown(rule)).collect(
                Collectors.groupingBy(this::whyOpen, LinkedHashMap::new, Collectors.toList()));
        text.append("\n## ").append(family).append("\n\n");
        appendCounts(text, rules);
        if (!shown.isEmpty()) {
            text.append("\n| rule | | tests | mutants |\n| --- | --- | --- | --- |\n");
        }
        for (RuleId rule : shown) {
            text.append("| ").append(rule).append(" | ").append(standing(rule)).append(" | ")
                    .append(String.join(", ", citations.getOrDefault(rule, Set.of())))
                    .append(" | ").append(mutants.containsKey(rule) ? mutants.get(rule) : "")
                    .append(" |\n");
        }
        open.forEach((why, these) -> text.append("\nOpen").append(why).append(": ")
                .append(RuleId.ranges(these)).append(".\n"));
    }

    /** Has a row of its own: what is open has none, unless its text is in this repository. */
    private boolean isShown(RuleId rule) {
        return citations.containsKey(rule) || book.written().contains(rule)
                || book.account(rule).filter(it -> it.standing() != Standing.OPEN).isPresent();
    }

    private String whyOpen(RuleId rule) {
        return book.account(rule).map(account -> ", " + account.whyFromDocs()).orElse("");
    }

    private void appendCounts(StringBuilder text, List<RuleId> rules) {
        Map<String, Integer> counts = new TreeMap<>();
        for (RuleId rule : rules) {
            counts.merge(word(rule), 1, Integer::sum);
        }
        List<String> parts = new ArrayList<>();
        for (String word : List.of("proved", "differs", "not applicable", "open")) {
            if (counts.containsKey(word)) {
                parts.add(counts.get(word) + " " + word);
            }
        }
        text.append(rules.size()).append(rules.size() == 1 ? " rule: " : " rules: ")
                .append(String.join(", ", parts)).append(".\n");
    }

    private String word(RuleId rule) {
        return book.account(rule).map(account -> account.standing().toString())
                .orElse(citations.containsKey(rule) ? "proved" : Standing.OPEN.toString());
    }

    private String standing(RuleId rule) {
        return book.account(rule).map(ConformanceTable::reason).orElse(word(rule));
    }

    private static String reason(Account account) {
        return account.standing() + ": " + account.whyFromDocs();
    }
}
