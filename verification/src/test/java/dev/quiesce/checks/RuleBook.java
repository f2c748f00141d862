package dev.quiesce.checks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What docs/spec says: which rules there are (the table of README.md), which of them have a text
 * ({@code * **AIO-1** ...}), and which are accounted for otherwise than by a test (the table under
 * "Accounts").
 */
final class RuleBook {
    private static final Path SPEC = Path.of("docs", "spec");
    private static final Pattern TEXT = Pattern.compile("^\\* \\*\\*([^*]+)\\*\\* .*");
    private static final Pattern ROW = Pattern.compile("^\\| ([^|]+) \\| ([^|]+) \\| (.+) \\|$");
    private static final Pattern ID_ROW = Pattern.compile("^\\| [A-Z]+(-T|-)?\\d.*");
    private static final Pattern DECISION = Pattern.compile("\\]\\(\\.\\./(decisions/[^)#]+)\\)");

    private final Set<RuleId> known = new TreeSet<>();
    private final Set<RuleId> written = new TreeSet<>();
    private final Map<RuleId, Account> accounts = new TreeMap<>();
    private final List<String> mistakes = new ArrayList<>();

    RuleBook() {
        Path spec = SourceTree.root().resolve(SPEC);
        SourceTree.lines(spec.resolve("README.md")).forEach(this::readFamily);
        for (Path page : SourceTree.files(".md")) {
            if (page.startsWith(spec) && !page.endsWith("README.md")) {
                read(page);
            }
        }
        for (RuleId rule : accounts.keySet()) {
            if (!known.contains(rule)) {
                mistakes.add("an account for " + rule + ", which is not in the table of families");
            }
        }
    }

    Set<RuleId> known() {
        return known;
    }

    /** The rules that have a text, each of which must be proved or accounted for. */
    Set<RuleId> written() {
        return written;
    }

    Optional<Account> account(RuleId rule) {
        return Optional.ofNullable(accounts.get(rule));
    }

    /** What is wrong with these pages themselves. */
    List<String> mistakes() {
        return mistakes;
    }

    private void readFamily(String line) {
        Matcher row = ROW.matcher(line);
        if (ID_ROW.matcher(line).matches() && row.matches()) {
            known.addAll(RuleId.list(row.group(1)));
        }
    }

    private void read(Path page) {
        for (String line : SourceTree.lines(page)) {
            Matcher text = TEXT.matcher(line);
            if (text.matches()) {
                readText(page, text.group(1));
            }
            Matcher row = ROW.matcher(line);
            if (ID_ROW.matcher(line).matches() && row.matches()) {
                readAccount(page, row);
            }
        }
    }

    private void readText(Path page, String number) {
        RuleId rule = RuleId.of(number);
        if (!written.add(rule)) {
            mistakes.add(page.getFileName() + " has a second text for " + rule);
        }
        if (!known.contains(rule)) {
            mistakes.add(page.getFileName() + " has a text for " + rule
                    + ", which is not in the table of families");
        }
    }

    private void readAccount(Path page, Matcher row) {
        Account account = new Account(Standing.of(row.group(2)), row.group(3).strip());
        if (account.standing == Standing.DIFFERS && account.decision().isEmpty()) {
            mistakes.add(page.getFileName() + ": " + row.group(1)
                    + " differs without a link to the decision");
        }
        for (RuleId rule : RuleId.list(row.group(1))) {
            if (accounts.put(rule, account) != null) {
                mistakes.add(page.getFileName() + " accounts twice for " + rule);
            }
        }
    }

    /** How a rule stands that has an account. */
    enum Standing {
        /** We do something else on purpose; a decision page says why. Tests may prove it. */
        DIFFERS("differs"),

        /** The rule is about something that does not exist here. No test cites it. */
        NOT_APPLICABLE("not applicable"),

        /** Nothing proves it yet. No test cites it. */
        OPEN("open");

        private final String word;

        Standing(String word) {
            this.word = word;
        }

        static Standing of(String word) {
            for (Standing each : values()) {
                if (each.word.equals(word.strip())) {
                    return each;
                }
            }
            throw new IllegalArgumentException("a rule cannot be '" + word + "'");
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /**
     * One row of "Accounts".
     *
     * @param standing how the rule stands
     * @param why the reason, in Markdown as seen from docs/spec
     */
    record Account(Standing standing, String why) {
        /** The decision page that the reason links to, relative to docs. */
        Optional<String> decision() {
            Matcher link = DECISION.matcher(why);
            return link.find() ? Optional.of(link.group(1)) : Optional.empty();
        }

        /** The reason, in Markdown as seen from docs. */
        String whyFromDocs() {
            return why.replace("](../", "](");
        }
    }
}
