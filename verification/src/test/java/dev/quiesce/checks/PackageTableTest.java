package dev.quiesce.checks;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The table of who may import whom: strictly downwards, never sideways, so never in a circle. */
class PackageTableTest {
    private static final String OURS = "dev.quiesce.";

    private static final List<Set<String>> LEVELS =
            List.of(
                    Set.of(
                            "aio.time",
                            "aio.queue",
                            "aio.source",
                            "aio.watch",
                            "testkit.channel"),
                    Set.of("aio", "block", "scsi.spec", "virtio.memory"),
                    Set.of("aio.channel", "virtio.queue", "driver", "drain", "throttle"),
                    Set.of(
                            "virtio.device",
                            "vhostuser.inflight",
                            "scsi",
                            "graph",
                            "driver.memory",
                            "driver.file",
                            "driver.filter"),
                    Set.of("virtio.dataplane", "backend"),
                    Set.of("scsi.disk", "job", "disk", "testkit"),
                    Set.of("virtio.scsi", "virtio.mmio", "vhostuser"),
                    Set.of("testkit.guest"));

    /** What main code may use beside the JDK and ourselves; the last is for the compiler only. */
    private static final List<String> ALLOWED_OUTSIDE =
            List.of("java.", "org.jctools.", "org.slf4j.", "org.jspecify.annotations.");

    /** Flight Recorder is a module that a Java may lack: one type needs it, and says so. */
    private static final String MAY_BE_MISSING = "jdk.jfr.";
    private static final String NEEDS_IT = OURS + "aio.watch.LoopEvents";

    /** What only one package may use. */
    private static final Map<String, String> ALLOWED_THERE =
            Map.of(OURS + "vhostuser", "org.newsclub.net.unix.");

    private static final Map<String, Integer> LEVEL_OF = new TreeMap<>();
    private static JavaClasses classes;

    @BeforeAll
    static void readClasses() {
        for (int level = 0; level < LEVELS.size(); level++) {
            for (String name : LEVELS.get(level)) {
                LEVEL_OF.put(OURS + name, level);
            }
        }
        classes =
                new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .withImportOption(location -> !location.contains("quiesce-test-rules"))
                        .withImportOption(location -> !location.contains("/test-rules/"))
                        .importPackages("dev.quiesce");
    }

    @Test
    void shouldFindEveryPackageInTheTable() {
        Offenders offenders = new Offenders("a package must stand in the level table");

        for (JavaClass type : classes) {
            if (!LEVEL_OF.containsKey(type.getPackageName())) {
                offenders.add(type.getName(), "is in no package of the table");
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldImportStrictlyLowerLevelsOnly() {
        Offenders offenders = new Offenders("a package may import strictly lower levels only");

        for (JavaClass type : classes) {
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                if (isForbidden(dependency)) {
                    offenders.add(levels(dependency), dependency.getDescription());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldUseNothingFromOutsideButTheTwoLibraries() {
        Offenders offenders = new Offenders("only JCTools and SLF4J are run-time dependencies");

        for (JavaClass type : classes) {
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                JavaClass target = dependency.getTargetClass().getBaseComponentType();
                boolean excused = type.getName().startsWith(NEEDS_IT)
                        && target.getName().startsWith(MAY_BE_MISSING);
                if (isFromOutside(target) && !excused && !isAllowedThere(type, target)) {
                    offenders.add(type.getName(), dependency.getDescription());
                }
            }
        }

        offenders.assertNone();
    }

    private static boolean isForbidden(Dependency dependency) {
        String from = dependency.getOriginClass().getPackageName();
        String to = dependency.getTargetClass().getBaseComponentType().getPackageName();
        if (from.equals(to) || !LEVEL_OF.containsKey(from) || !LEVEL_OF.containsKey(to)) {
            return false;
        }
        return LEVEL_OF.get(to) >= LEVEL_OF.get(from);
    }

    private static boolean isAllowedThere(JavaClass type, JavaClass target) {
        String allowed = ALLOWED_THERE.get(type.getPackageName());
        return allowed != null && target.getName().startsWith(allowed);
    }

    private static boolean isFromOutside(JavaClass type) {
        String name = type.getName();
        return !type.isPrimitive()
                && !name.startsWith(OURS)
                && ALLOWED_OUTSIDE.stream().noneMatch(name::startsWith);
    }

    private static String levels(Dependency dependency) {
        String from = dependency.getOriginClass().getPackageName();
        String to = dependency.getTargetClass().getBaseComponentType().getPackageName();
        return "level " + LEVEL_OF.get(from) + " -> " + LEVEL_OF.get(to);
    }
}
