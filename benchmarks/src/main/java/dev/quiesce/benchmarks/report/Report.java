package dev.quiesce.benchmarks.report;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The table of a run. Arguments: files of JMH, each as {@code placement=file} or {@code file}; what
 * several of them have of a contender is put together. With {@code --goals} first, the goals of the
 * loop are checked too; with {@code --goals-of-some}, those whose contenders and rivals were all
 * measured. Ends with 1 if something of ours allocates, or a goal is missed or cannot be checked
 * that should be; and with 2 if nothing was measured, or none of some goals could be checked.
 */
public final class Report {
    /** Which goals are checked. */
    enum Goals {
        NONE, SOME, ALL;

        private static Goals of(String[] args) {
            return switch (args.length == 0 ? "" : args[0]) {
                case "--goals" -> ALL;
                case "--goals-of-some" -> SOME;
                default -> NONE;
            };
        }
    }

    /** What a report ends with. */
    static final int MET = 0;
    static final int MISSED = 1;
    static final int UNCHECKED = 2;

    /** Others, and our executor's method, which must make a task for each call. */
    private static final Set<String> MAY_ALLOCATE = Set.of("NETTY_NIO", "NETTY_EPOLL",
            "JCTOOLS_PARK", "DISRUPTOR_YIELDING", "THREAD_POOL", "QUIESCE_EXECUTE",
            "QUIESCE_JCTOOLS");

    private final List<Measurement> measured;
    private final PrintStream out;

    Report(List<Measurement> measured, PrintStream out) {
        this.measured = measured;
        this.out = out;
    }

    /** Reads, prints, judges. */
    public static void main(String[] args) throws IOException {
        Goals goals = Goals.of(args);
        List<Measurement> runs = new ArrayList<>();
        for (String arg : List.of(args).subList(goals == Goals.NONE ? 0 : 1, args.length)) {
            int split = arg.indexOf('=');
            runs.addAll(Measurement.read(new File(arg.substring(split + 1)),
                    split < 0 ? "" : arg.substring(0, split)));
        }
        Report report = new Report(Measurement.merged(runs), System.out);
        report.print();
        System.exit(report.judge(goals));
    }

    private void print() {
        measured.stream()
                .collect(Collectors.groupingBy(
                        Measurement::suite, LinkedHashMap::new, Collectors.toList()))
                .forEach(this::print);
    }

    private void print(String suite, List<Measurement> rows) {
        double first = rows.get(0).median();
        out.printf("%n%-24s %10s %8s   %s%n", suite, "ns", "ratio",
                "fastest .. slowest      B/op");
        for (Measurement row : rows) {
            out.printf(Locale.ROOT, "%-24s %10.1f %8.2f   %8.1f .. %8.1f  %6.1f%n",
                    row.contender(), row.median(), row.median() / first, row.fastest(),
                    row.slowest(), row.allocation().bytesPerOperation());
        }
    }

    /** Says what was met and what was not; {@link #MET}, {@link #MISSED} or {@link #UNCHECKED}. */
    int judge(Goals goals) {
        out.println();
        if (measured.isEmpty()) {
            out.println("NOT MET  nothing was measured");
            return UNCHECKED;
        }
        boolean met = allocatesNothing();
        if (goals == Goals.NONE) {
            return met ? MET : MISSED;
        }
        int checked = 0;
        for (Goal goal : Goal.ALL) {
            List<String> missing = goal.missing(measured);
            if (missing.isEmpty()) {
                checked++;
                met &= meets(goal);
            } else {
                met &= goals == Goals.SOME;
                out.printf("%-8s %s %s: not checked, %s not measured%n",
                        goals == Goals.SOME ? "-" : "NOT MET",
                        goal.suite(), goal.contender(), missing);
            }
        }
        if (met && checked == 0) {
            out.println("NOT MET  no goal could be checked");
            return UNCHECKED;
        }
        return met ? MET : MISSED;
    }

    private boolean allocatesNothing() {
        boolean none = true;
        for (Measurement row : measured) {
            Allocation allocation = row.allocation();
            if (!MAY_ALLOCATE.contains(row.contender()) && allocation.isByOperations()) {
                out.printf(Locale.ROOT,
                        "NOT MET  %s %s allocates %.1f B per operation, %.0f KB per iteration%n",
                        row.suite(), row.contender(), allocation.bytesPerOperation(),
                        allocation.bytesPerIteration() / 1e3);
                none = false;
            }
        }
        return none;
    }

    private boolean meets(Goal goal) {
        double ratio = goal.ratio(measured);
        boolean met = ratio <= goal.limit();
        out.printf(Locale.ROOT, "%-8s %s %s: %.2f of %s, the limit is %.2f%n",
                met ? "met" : "NOT MET", goal.suite(), goal.contender(), ratio,
                goal.rivals(), goal.limit());
        return met;
    }
}
