package dev.quiesce.mutants;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.PrintWriter;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs tests in a JVM of its own: the first argument is how many seconds each may take, the others
 * are the tests, as {@code Class#method}. A parameterised one is all its invocations.
 */
final class OneTest {
    static final int GREEN = 10;
    static final int RED = 11;
    static final int NOT_RUN = 12;

    private OneTest() {}

    public static void main(String[] arguments) throws ClassNotFoundException {
        List<String> tests = List.of(arguments).subList(1, arguments.length);
        int verdict = run(arguments[0], tests,
                new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        // Daemons and lost threads of a broken test must not keep the JVM alive.
        Runtime.getRuntime().halt(verdict);
    }

    /** Runs them here; red if one of them is. */
    static int run(String secondsMax, List<String> tests, PrintWriter out)
            throws ClassNotFoundException {
        List<DiscoverySelector> selectors = new ArrayList<>();
        for (String test : tests) {
            selectors.add(select(test));
        }
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectors)
                .configurationParameter(
                        "junit.jupiter.execution.timeout.default", secondsMax + " s")
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        Runs runs = new Runs();
        LauncherFactory.create().execute(request, listener, runs);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(out, 6);
        if (summary.getTotalFailureCount() > 0) {
            return RED;
        }
        boolean allRan = runs.ended.containsAll(tests) && summary.getTestsSkippedCount() == 0
                && summary.getTestsAbortedCount() == 0;
        return allRan ? GREEN : NOT_RUN;
    }

    /** The method of that name, whatever it takes: a test may ask for a reporter. */
    private static DiscoverySelector select(String test) throws ClassNotFoundException {
        Class<?> type = Class.forName(test.substring(0, test.indexOf('#')));
        String name = test.substring(test.indexOf('#') + 1);
        for (Method method : type.getDeclaredMethods()) {
            if (method.getName().equals(name)) {
                return selectMethod(type, method);
            }
        }
        return selectMethod(test); // An inherited one, or none, which is then said.
    }

    /**
     * The methods that came to an end as a test, with whatever parameters. How many tests that are
     * is known afterwards only.
     */
    private static final class Runs implements TestExecutionListener {
        private final Set<String> ended = new HashSet<>();

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (test.isTest() && test.getSource().orElse(null) instanceof MethodSource method) {
                ended.add(method.getClassName() + "#" + method.getMethodName());
            }
        }
    }
}
