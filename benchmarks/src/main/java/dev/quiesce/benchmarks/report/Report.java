package dev.quiesce.benchmarks.report;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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
 * that should be.
 */
public final class Report {
    /**
     * Less than this is JMH's own: its threads allocate once per iteration, which is divided by
     * the operations of that iteration. The smallest object has 16 bytes.
     */
    private static final double TOLERATED_BYTES = 1.0;

    /** Others, and our executor's method, which must make a task for each call. */
    private static final Set<String> MAY_ALLOCATE = Set.of("NETTY_NIO", "NETTY_EPOLL",
            "JCTOOLS_PARK", "DISRUPTOR_YIELDING", "THREAD_POOL", "QUIESCE_EXECUTE",
            "QUIESCE_JCTOOLS");

    private Report() {
    }

    /** Reads, prints, judges. */
    public static void main(String[] args) throws IOException {
        boolean some = args.length > 0 && args[0].equals("--goals-of-some");
        boolean goals = some || (args.length > 0 && args[0].equals("--goals"));
        List<Measurement> runs = new ArrayList<>();
        for (String arg : Arrays.asList(args).subList(goals ? 1 : 0, args.length)) {
            int split = arg.indexOf('=');
            runs.addAll(Measurement.read(new File(arg.substring(split + 1)),
                    split < 0 ? "" : arg.substring(0, split)));
        }
        List<Measurement> measured = Measurement.merged(runs);
        measured.stream()
                .collect(Collectors.groupingBy(
                        Measurement::suite, LinkedHashMap::new, Collectors.toList()))
                .forEach(Report::print);
        boolean met = allocatesNothing(measured);
        if (goals) {
            met &= meetsGoals(measured, some);
        }
        System.exit(met ? 0 : 1);
    }

    private static void print(String suite, List<Measurement> rows) {
        double first = rows.get(0).median();
        System.out.printf("%n%-24s %10s %8s   %s%n", suite, "ns", "ratio",
                "fastest .. slowest      B/op");
        for (Measurement row : rows) {
            System.out.printf(Locale.ROOT, "%-24s %10.1f %8.2f   %8.1f .. %8.1f  %6.1f%n",
                    row.contender(), row.median(), row.median() / first, row.fastest(),
                    row.slowest(), row.bytesPerOperation());
        }
    }

    private static boolean allocatesNothing(List<Measurement> measured) {
        boolean none = true;
        for (Measurement row : measured) {
            if (!MAY_ALLOCATE.contains(row.contender())
                    && row.bytesPerOperation() >= TOLERATED_BYTES) {
                System.out.printf(Locale.ROOT, "%nNOT MET  %s %s allocates %.1f B per operation%n",
                        row.suite(), row.contender(), row.bytesPerOperation());
                none = false;
            }
        }
        return none;
    }

    private static boolean meetsGoals(List<Measurement> measured, boolean some) {
        boolean all = true;
        System.out.println();
        for (Goal goal : Goal.ALL) {
            all &= meets(goal, measured, some);
        }
        return all;
    }

    private static boolean meets(Goal goal, List<Measurement> measured, boolean some) {
        List<String> missing = goal.missing(measured);
        if (!missing.isEmpty()) {
            System.out.printf("%-8s %s %s: not checked, %s not measured%n", some ? "-" : "NOT MET",
                    goal.suite(), goal.contender(), missing);
            return some;
        }
        double ratio = goal.ratio(measured);
        boolean met = ratio <= goal.limit();
        System.out.printf(Locale.ROOT, "%-8s %s %s: %.2f of %s, the limit is %.2f%n",
                met ? "met" : "NOT MET", goal.suite(), goal.contender(), ratio,
                goal.rivals(), goal.limit());
        return met;
    }
}
