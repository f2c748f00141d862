package dev.quiesce.checks;

import com.github.javaparser.ast.Node;
import com.github.javaparser.ast.expr.AnnotationExpr;
import com.github.javaparser.ast.expr.FieldAccessExpr;
import com.github.javaparser.ast.expr.MethodCallExpr;
import com.github.javaparser.ast.expr.ObjectCreationExpr;
import com.github.javaparser.ast.type.ClassOrInterfaceType;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Calls that go round a seam: time, threads, the console. Each rule names its few exceptions. */
class BannedCallsTest {
    private static final Set<String> READS_TIME = Set.of("Clock.java", "HostClock.java");
    private static final Set<String> STARTS_THREADS =
            Set.of("IoThread.java", "PooledWorkers.java", "WorkerPool.java");

    private static final Set<String> REPORTS_ERRORS = Set.of("AioContext.java");

    private static List<SourceFile> sources;

    @BeforeAll
    static void readSources() {
        sources = SourceTree.javaFiles();
    }

    @Test
    void shouldNeverSleep() {
        Offenders offenders = new Offenders("nobody sleeps, tests neither");

        forEachCall(f -> true, (file, call) -> {
            if (isCall(call, "Thread", "sleep") || isUnitSleep(call)) {
                offenders.add(file.at(call), call.toString());
            }
        });

        offenders.assertNone();
    }

    @Test
    void shouldReadTimeFromTheClockOnly() {
        Offenders offenders = new Offenders("time comes from the injected clock");

        forEachCall(f -> isBuiltOnSeams(f) && !READS_TIME.contains(f.name()), (file, call) -> {
            if (isCall(call, "System", "nanoTime") || isCall(call, "System", "currentTimeMillis")) {
                offenders.add(file.at(call), call.toString());
            }
        });

        offenders.assertNone();
    }

    @Test
    void shouldStartThreadsInOnePlaceOnly() {
        Offenders offenders = new Offenders("threads start in IoThread and the worker pool only");

        for (SourceFile file : sources) {
            if (file.isPublished() && !STARTS_THREADS.contains(file.name())) {
                for (ObjectCreationExpr made : file.unit().findAll(ObjectCreationExpr.class)) {
                    if (made.getType().getNameAsString().equals("Thread")) {
                        offenders.add(file.at(made), made.toString());
                    }
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldReportErrorsInOnePlaceOnly() {
        Offenders offenders = new Offenders("errors are reported by AioContext.report only");

        forEachCall(f -> f.isPublished() && !REPORTS_ERRORS.contains(f.name()), (file, call) -> {
            if (call.getNameAsString().equals("onError")) {
                offenders.add(file.at(call), call.toString());
            }
        });

        offenders.assertNone();
    }

    @Test
    void shouldNotPrint() {
        Offenders offenders = new Offenders("a library does not print");

        for (SourceFile file : sources) {
            if (file.isPublished()) {
                for (FieldAccessExpr access : file.unit().findAll(FieldAccessExpr.class)) {
                    if (Set.of("System.out", "System.err").contains(access.toString())) {
                        offenders.add(file.at(access), access.toString());
                    }
                }
            }
        }
        forEachCall(SourceFile::isPublished, (file, call) -> {
            if (call.getNameAsString().equals("printStackTrace")) {
                offenders.add(file.at(call), call.toString());
            }
        });

        offenders.assertNone();
    }

    @Test
    void shouldKeepNothingInThreadLocals() {
        Offenders offenders = new Offenders("no thread-locals: a loop is not a thread");

        for (SourceFile file : sources) {
            if (file.isPublished()) {
                for (ClassOrInterfaceType type : file.unit().findAll(ClassOrInterfaceType.class)) {
                    if (type.getNameAsString().equals("ThreadLocal")) {
                        offenders.add(file.at(type), type.toString());
                    }
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldSkipNoTest() {
        Offenders offenders = new Offenders("a test that is skipped is fixed or deleted");

        for (SourceFile file : sources) {
            for (AnnotationExpr annotation : file.unit().findAll(AnnotationExpr.class)) {
                if (annotation.getNameAsString().startsWith("Disabled")) {
                    offenders.add(file.at(annotation), annotation.toString());
                }
            }
        }

        offenders.assertNone();
    }

    /** The command line measures with the same clock as the library; benchmarks are JMH's. */
    private static boolean isBuiltOnSeams(SourceFile file) {
        return file.isPublished() || (file.isMain() && file.module().equals("examples"));
    }

    private static void forEachCall(
            Predicate<SourceFile> where, BiConsumer<SourceFile, MethodCallExpr> what) {
        for (SourceFile file : sources) {
            if (where.test(file)) {
                file.unit().walk(MethodCallExpr.class, call -> what.accept(file, call));
            }
        }
    }

    private static boolean isCall(MethodCallExpr call, String scope, String name) {
        return call.getNameAsString().equals(name)
                && call.getScope().map(Node::toString).filter(scope::equals).isPresent();
    }

    private static boolean isUnitSleep(MethodCallExpr call) {
        return call.getNameAsString().equals("sleep")
                && call.getScope().map(Node::toString).orElse("").contains("SECONDS");
    }
}
