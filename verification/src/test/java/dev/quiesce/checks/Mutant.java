package dev.quiesce.checks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A named mistake: a few lines of main code and what to write instead, so that a rule no longer
 * holds and the test that cites it must fail.
 *
 * @param rule the rule that it breaks
 * @param name what the mutated code does wrong, in words
 * @param file the source file, from the project's root
 * @param test the test that must notice, as in the conformance table: class and method
 * @param edit the lines
 */
public record Mutant(RuleId rule, String name, Path file, String test, Edit edit) {
    /** How often the lines to be replaced occur in the file; the indentation does not matter. */
    int occurrences(List<String> source) {
        return places(source).size();
    }

    /**
     * The mutated source.
     *
     * @return the whole text of the file
     */
    public String apply() {
        List<String> source = SourceTree.lines(SourceTree.root().resolve(file));
        List<Integer> places = places(source);
        if (places.size() != 1) {
            throw new IllegalStateException(this + " applies " + places.size() + " times");
        }
        List<String> mutated = new ArrayList<>(source);
        int from = places.get(0);
        mutated.subList(from, from + edit.before.size()).clear();
        mutated.addAll(from, edit.after);
        return String.join("\n", mutated) + "\n";
    }

    private List<Integer> places(List<String> source) {
        List<String> stripped = source.stream().map(String::strip).toList();
        List<String> before = edit.before.stream().map(String::strip).toList();
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i + before.size() <= stripped.size(); i++) {
            if (stripped.subList(i, i + before.size()).equals(before)) {
                places.add(i);
            }
        }
        return places;
    }

    /**
     * The name of the mutated type.
     *
     * @return as its source file is called
     */
    public String type() {
        return file.getFileName().toString().replace(".java", "");
    }

    @Override
    public String toString() {
        return rule + ", " + name + " (" + type() + ")";
    }

    /**
     * What to replace by what.
     *
     * @param before whole lines, as they stand in the file
     * @param after the lines to write instead
     */
    public record Edit(List<String> before, List<String> after) {}
}
