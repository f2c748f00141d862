package dev.quiesce.checks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The number of a rule: {@code AIO-33}, {@code CMD-14a}, {@code AIO-T07}, {@code I8}.
 *
 * @param prefix everything before the digits
 * @param number the digits
 * @param text the whole, as it is written
 */
public record RuleId(String prefix, int number, String text) implements Comparable<RuleId> {
    private static final Pattern ID = Pattern.compile("([A-Z]+(?:-T|-)?)(\\d+)[a-z]?");
    private static final Comparator<RuleId> ORDER =
            Comparator.comparing(RuleId::family)
                    .thenComparingInt(RuleId::number)
                    .thenComparing(RuleId::text);

    static boolean isOne(String text) {
        return ID.matcher(text).matches();
    }

    /**
     * Reads a number.
     *
     * @param text such as AIO-33
     * @return the rule's number
     */
    public static RuleId of(String text) {
        Matcher matcher = ID.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not the number of a rule: '" + text + "'");
        }
        return new RuleId(matcher.group(1), Integer.parseInt(matcher.group(2)), text);
    }

    /**
     * Reads numbers and ranges of them.
     *
     * @param text such as {@code "CMD-1 to CMD-14, CMD-14a, CMD-15"}
     * @return all of them, in that order
     */
    public static List<RuleId> list(String text) {
        List<RuleId> ids = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String[] ends = part.strip().split(" to ", -1);
            RuleId first = of(ends[0].strip());
            ids.add(first);
            if (ends.length > 1) {
                RuleId last = of(ends[1].strip());
                while (!ids.get(ids.size() - 1).equals(last)) {
                    ids.add(ids.get(ids.size() - 1).next(last));
                }
            }
        }
        return ids;
    }

    /** The opposite of {@link #list}. */
    static String ranges(List<RuleId> sorted) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < sorted.size(); ) {
            int last = i;
            while (last + 1 < sorted.size() && sorted.get(last).isBefore(sorted.get(last + 1))) {
                last++;
            }
            String from = sorted.get(i).text();
            String to = sorted.get(last).text();
            parts.add(last == i ? from : from + (last == i + 1 ? ", " : " to ") + to);
            i = last + 1;
        }
        return String.join(", ", parts);
    }

    /**
     * The family, as in {@code AIO} or {@code AIO-T}.
     *
     * @return the prefix without its hyphen
     */
    public String family() {
        return prefix.endsWith("-") ? prefix.substring(0, prefix.length() - 1) : prefix;
    }

    /** {@return whether this is a scenario: a situation to test, not a rule to keep} */
    boolean isScenario() {
        return prefix.endsWith("-T");
    }

    /** {@return how the name of a test of this scenario begins, as in {@code aioT07}} */
    String testName() {
        return family().replace("-T", "").toLowerCase(Locale.ROOT)
                + text.substring(prefix.length() - 1);
    }

    private boolean isBefore(RuleId other) {
        return prefix.equals(other.prefix) && number + 1 == other.number
                && isPlain() && other.isPlain();
    }

    private boolean isPlain() {
        return Character.isDigit(text.charAt(text.length() - 1));
    }

    private RuleId next(RuleId last) {
        if (!prefix.equals(last.prefix) || number >= last.number) {
            throw new IllegalArgumentException("no range leads to " + last.text);
        }
        int width = text.length() - prefix.length();
        return of(prefix + String.format("%0" + width + "d", number + 1));
    }

    @Override
    public int compareTo(RuleId other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return text;
    }
}
