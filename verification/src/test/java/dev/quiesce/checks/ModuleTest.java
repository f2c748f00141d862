package dev.quiesce.checks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires.Modifier;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user of the module path sees: names, requirements, exports, and that it all resolves. */
class ModuleTest {
    private static final Set<String> OURS =
            Set.of(
                    "dev.quiesce.core",
                    "dev.quiesce.scsi",
                    "dev.quiesce.virtio",
                    "dev.quiesce.testkit",
                    "dev.quiesce.vhostuser");
    private static final Set<String> LIBRARIES =
            Set.of("org.jctools.core", "org.jctools.core.jdk11", "org.slf4j");

    /** What vhost-user alone requires. */
    private static final Set<String> SOCKETS =
            Set.of("org.newsclub.net.unix", "com.kohlschutter.junixsocket.nativecommon");

    /** What we do without at run time: an annotation's jar, and Flight Recorder's module. */
    private static final Set<String> MAY_BE_MISSING = Set.of("org.jspecify", "jdk.jfr");

    @TempDir private Path work;

    @Test
    void shouldNameTheModulesAsPublished() {
        Set<String> found =
                ModuleFinder.of(classPath()).findAll().stream()
                        .map(m -> m.descriptor().name())
                        .collect(Collectors.toSet());

        assertThat(found).containsAll(OURS);
    }

    @Test
    void shouldRequireNothingButTheTwoLibraries() {
        Offenders offenders = new Offenders("a published module requires JCTools and SLF4J only");

        for (ModuleDescriptor module : ourModules()) {
            for (ModuleDescriptor.Requires needed : module.requires()) {
                boolean isSocket = module.name().equals("dev.quiesce.vhostuser")
                        && SOCKETS.contains(needed.name());
                if (!isSocket && !isAllowed(needed)) {
                    offenders.add(module.name(), "requires " + needed.name());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldExportEveryPackageThatHasPublicTypes() {
        Offenders offenders = new Offenders("a package with public types is exported");
        Set<String> exported = new TreeSet<>();
        for (ModuleDescriptor module : ourModules()) {
            module.exports().forEach(e -> exported.add(e.source()));
        }
        Set<String> needed = new TreeSet<>();
        publicTypes().forEach(t -> needed.add(t.getPackageName()));

        needed.removeAll(exported);
        needed.forEach(p -> offenders.add(p, "is not exported by its module"));

        offenders.assertNone();
    }

    @Test
    void shouldShowNoForeignTypesInTheApi() {
        Offenders offenders = new Offenders("the libraries below are nobody's business");

        for (JavaClass type : publicTypes()) {
            for (JavaClass shown : shownBy(type)) {
                if (!shown.getName().startsWith("java.") && !isOurs(shown)) {
                    offenders.add(type.getName(), "shows " + shown.getName());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldServeAConsumerOnTheModulePath() throws IOException, InterruptedException {
        Path sources = Files.createDirectories(work.resolve("src/consumer"));
        Path classes = Files.createDirectories(work.resolve("classes"));
        Path module = sources.resolveSibling("module-info.java");
        Path main = sources.resolve("Main.java");
        Files.writeString(module, "module consumer {"
                + " requires dev.quiesce.testkit; requires dev.quiesce.vhostuser; }");
        Files.writeString(main, consumerSource());

        compile(classes, List.of(module, main));
        String output = run(classes);

        assertThat(output.lines()).containsAll(OURS).contains("org.jctools.core", "org.slf4j")
                .containsAll(SOCKETS);
        assertThat(output).doesNotContain("org.jspecify");
    }

    private static List<JavaClass> publicTypes() {
        return new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.quiesce").stream()
                        .filter(t -> t.getModifiers().contains(JavaModifier.PUBLIC))
                        .filter(t -> !t.getPackageName().equals("dev.quiesce.rules"))
                        .toList();
    }

    /** The types in the signatures of what a user may call or extend. */
    private static Set<JavaClass> shownBy(JavaClass type) {
        Set<JavaClass> shown = new LinkedHashSet<>(type.getRawInterfaces());
        type.getRawSuperclass().ifPresent(shown::add);
        for (JavaMember member : type.getMembers()) {
            Set<JavaModifier> modifiers = member.getModifiers();
            if (modifiers.contains(JavaModifier.PUBLIC)
                    || modifiers.contains(JavaModifier.PROTECTED)) {
                member.getAllInvolvedRawTypes().forEach(t -> shown.add(t.getBaseComponentType()));
            }
        }
        shown.removeIf(JavaClass::isPrimitive);
        return shown;
    }

    private static boolean isOurs(JavaClass type) {
        return type.getName().startsWith("dev.quiesce.");
    }

    private static boolean isAllowed(ModuleDescriptor.Requires needed) {
        String name = needed.name();
        boolean atCompileTimeOnly = needed.modifiers().equals(Set.of(Modifier.STATIC));
        return OURS.contains(name)
                || LIBRARIES.contains(name)
                || name.equals("java.base")
                || (MAY_BE_MISSING.contains(name) && atCompileTimeOnly);
    }

    private static String consumerSource() {
        return """
                package consumer;

                class Main {
                    public static void main(String[] args) {
                        for (Module module : ModuleLayer.boot().modules()) {
                            System.out.println(module.getName());
                        }
                    }
                }
                """;
    }

    private static void compile(Path classes, List<Path> sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter complaints = new StringWriter();
        List<String> options =
                List.of("--release", "17", "--module-path", modulePath(), "-d", classes.toString());
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            compiler.getTask(
                            complaints,
                            files,
                            null,
                            options,
                            null,
                            files.getJavaFileObjectsFromPaths(sources))
                    .call();
        }
        assertThat(complaints.toString()).isEmpty();
    }

    private static String run(Path classes) throws IOException, InterruptedException {
        String path = classes + File.pathSeparator + modulePath();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process =
                new ProcessBuilder(java, "--module-path", path, "-m", "consumer/consumer.Main")
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private static List<ModuleDescriptor> ourModules() {
        return ModuleFinder.of(classPath()).findAll().stream()
                .map(ModuleReference::descriptor)
                .filter(d -> OURS.contains(d.name()))
                .toList();
    }

    /** Our modules and the two libraries, as directories or jars, and nothing else. */
    private static String modulePath() {
        return Arrays.stream(classPath())
                .filter(ModuleTest::isForConsumers)
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static boolean isForConsumers(Path entry) {
        return ModuleFinder.of(entry).findAll().stream()
                .map(m -> m.descriptor().name())
                .anyMatch(n -> OURS.contains(n) || LIBRARIES.contains(n)
                        || SOCKETS.contains(n));
    }

    private static Path[] classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(Path::of)
                .filter(Files::exists)
                .filter(ModuleTest::isModular)
                .toArray(Path[]::new);
    }

    private static boolean isModular(Path entry) {
        boolean isJar = entry.toString().endsWith(".jar");
        return isJar || Files.exists(entry.resolve("module-info.class"));
    }
}
