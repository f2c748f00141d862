package dev.quiesce.mutants;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.PrintWriter;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs tests in a JVM of its own: the first argument is how many seconds each may take, the others
 * are the tests, as {@code Class#method}.
 */
final class OneTest {
    static final int GREEN = 10;
    static final int RED = 11;
    static final int NOT_RUN = 12;

    private OneTest() {}

    public static void main(String[] arguments) throws ClassNotFoundException {
        List<String> tests = List.of(arguments).subList(1, arguments.length);
        List<DiscoverySelector> selectors = new ArrayList<>();
        for (String test : tests) {
            selectors.add(select(test));
        }
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectors)
                .configurationParameter(
                        "junit.jupiter.execution.timeout.default", arguments[0] + " s")
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 6);
        // Daemons and lost threads of a broken test must not keep the JVM alive.
        Runtime.getRuntime().halt(verdict(summary, tests.size()));
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

    private static int verdict(TestExecutionSummary summary, int tests) {
        if (summary.getTestsFoundCount() != tests || summary.getTestsSkippedCount() > 0) {
            return NOT_RUN;
        }
        return summary.getTotalFailureCount() == 0 ? GREEN : RED;
    }
}
