package dev.quiesce.checks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the catalogue of mutants, {@code verification/src/test/mutants}. An entry names the rule
 * and the mistake, the file, and the test that must notice; then come the lines, marked as in a
 * patch:
 *
 * <pre>
 * AIO-41: a turn that ran nothing says that it did
 * core/src/main/java/dev/quiesce/aio/Turn.java
 * AioContextTest.shouldSayWhetherAnythingRan
 *             progress |= runAll();
 * -            return progress;
 * +            return true;
 * </pre>
 *
 * <p>A rule that no mutant can break so that a test fails in time has an entry of one line instead:
 *
 * <pre>
 * AIO-11 has no mutant: no test can show a missing barrier; jcstress CancelVersusRecheck does
 * </pre>
 */
public final class MutantCatalogue {
    private static final Pattern TITLE = Pattern.compile("([A-Z]\\S*): (.+)");

    private static final Pattern EXCUSE = Pattern.compile("([A-Z]\\S*) has no mutant: (.+)");

    private final List<Mutant> mutants = new ArrayList<>();
    private final Map<RuleId, String> excuses = new TreeMap<>();

    private MutantCatalogue() {}

    /**
     * Reads all entries.
     *
     * @return the mutants, in the order of the files and their entries
     */
    public static List<Mutant> read() {
        return readAll().mutants;
    }

    /** The rules that are said to have no mutant, with the reason. */
    static Map<RuleId, String> readExcuses() {
        return readAll().excuses;
    }

    private static MutantCatalogue readAll() {
        MutantCatalogue catalogue = new MutantCatalogue();
        for (Path page : SourceTree.files(".mutants")) {
            List<String> entry = new ArrayList<>();
            for (String line : SourceTree.lines(page)) {
                if (line.isBlank()) {
                    catalogue.add(page, entry);
                    entry = new ArrayList<>();
                } else if (!line.startsWith("#")) {
                    entry.add(line);
                }
            }
            catalogue.add(page, entry);
        }
        return catalogue;
    }

    private void add(Path page, List<String> entry) {
        if (entry.isEmpty()) {
            return;
        }
        Matcher excuse = EXCUSE.matcher(entry.get(0));
        if (excuse.matches() && entry.size() == 1) {
            excuses.put(RuleId.of(excuse.group(1)), excuse.group(2));
            return;
        }
        Matcher title = TITLE.matcher(entry.get(0));
        if (!title.matches() || entry.size() < 4) {
            throw new IllegalStateException(page + " has an incomplete entry: " + entry);
        }
        List<String> before = new ArrayList<>();
        List<String> after = new ArrayList<>();
        for (String line : entry.subList(3, entry.size())) {
            char mark = line.charAt(0);
            if (mark != ' ' && mark != '-' && mark != '+') {
                throw new IllegalStateException(page + ", " + entry.get(0) + ": " + line);
            }
            if (mark != '+') {
                before.add(line.substring(1));
            }
            if (mark != '-') {
                after.add(line.substring(1));
            }
        }
        mutants.add(new Mutant(RuleId.of(title.group(1)), title.group(2),
                Path.of(entry.get(1)), entry.get(2), new Mutant.Edit(before, after)));
    }
}
