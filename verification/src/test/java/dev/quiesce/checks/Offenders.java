package dev.quiesce.checks;

import java.util.ArrayList;
import java.util.List;

/** Collects every breach of one rule, so that one run names them all. */
final class Offenders {
    private final String rule;
    private final List<String> found = new ArrayList<>();

    Offenders(String rule) {
        this.rule = rule;
    }

    void add(String where, String what) {
        found.add(where + "  " + what);
    }

    void assertNone() {
        if (!found.isEmpty()) {
            String list = String.join("\n  ", found);
            throw new AssertionError(rule + "; " + found.size() + " found:\n  " + list);
        }
    }
}
