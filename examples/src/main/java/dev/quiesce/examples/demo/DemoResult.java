package dev.quiesce.examples.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the demo has counted, and whether it proves anything. */
final class DemoResult {
    private static final int PROOF_SECONDS = 60;
    private static final int CHANGES_PER_SECOND_MIN = 100;
    private static final List<String> NEEDS_THREADS = List.of(
            "contextChanges", "changesWithInFlight", "queueRehomes", "contextReadsDuringChange");
    private static final List<String> MUST_BE_ZERO = List.of("mismatches", "lostRequests");

    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();
    private final List<String> failures = new ArrayList<>();
    private @Nullable Boolean matches;

    void put(String key, @Nullable Object value) {
        values.put(key, value);
    }

    /** Says whether the guest read from every disk what the image holds. */
    void compared(boolean same) {
        matches = same;
    }

    /** Whether the disks hold what the image does; null if that was not found out. */
    @Nullable Boolean matches() {
        return matches;
    }

    void fail(String what) {
        failures.add(what);
    }

    List<String> failures() {
        return failures;
    }

    /** Judges the counters; a storm of a minute that did not do everything proves nothing. */
    void judge(DemoConfig config, double stormSeconds, boolean interrupted) {
        for (String key : MUST_BE_ZERO) {
            if (number(key) != 0) {
                failures.add(key + " is " + number(key));
            }
        }
        if (Boolean.FALSE.equals(matches)) {
            failures.add("the disk's content is not the image's");
        } else if (matches == null && !interrupted) {
            failures.add("the disk's content was not compared with the image's");
        }
        if (interrupted || config.seconds() < PROOF_SECONDS || config.steps() != Long.MAX_VALUE) {
            return;
        }
        for (Map.Entry<String, @Nullable Object> each : values.entrySet()) {
            boolean counted = each.getValue() instanceof Long
                    && !MUST_BE_ZERO.contains(each.getKey());
            boolean possible = !config.isSingleThreaded() || !NEEDS_THREADS.contains(each.getKey());
            if (counted && possible && number(each.getKey()) <= 0) {
                failures.add(each.getKey() + " is 0 after " + config.seconds() + " seconds");
            }
        }
        if (!config.isSingleThreaded()) {
            judgeChanges(stormSeconds);
        }
    }

    String toJson() throws JsonProcessingException {
        return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(values);
    }

    String toTable() {
        StringBuilder table = new StringBuilder();
        for (Map.Entry<String, @Nullable Object> each : values.entrySet()) {
            table.append(String.format("%-28s %s%n", each.getKey(), each.getValue()));
        }
        table.append(failures.isEmpty() ? "passed" : "FAILED");
        return table.toString();
    }

    private void judgeChanges(double stormSeconds) {
        long changes = number("contextChanges");
        if (changes < CHANGES_PER_SECOND_MIN * stormSeconds) {
            failures.add("only " + changes + " context changes in " + Math.round(stormSeconds)
                    + " seconds");
        }
        if (number("changesWithInFlight") * 10 < changes * 9) {
            failures.add("only " + number("changesWithInFlight") + " of " + changes
                    + " context changes began with requests in flight");
        }
    }

    private long number(String key) {
        return values.get(key) instanceof Number value ? value.longValue() : 0;
    }
}
