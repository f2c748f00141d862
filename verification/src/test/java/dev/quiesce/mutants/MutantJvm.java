package dev.quiesce.mutants;

import dev.quiesce.checks.Mutant;
import dev.quiesce.checks.SourceTree;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles mutants beside the real classes and runs tests against them, each in a new JVM. */
final class MutantJvm {
    /** How long a test may take, as everywhere. */
    private static final int TEST_SECONDS_MAX = 120;

    /** The same with a mutant, by which it may hang: a test that is too slow is red, too. */
    private static final int MUTATED_TEST_SECONDS_MAX = 40;

    private static final long SECONDS_MAX = 300;
    private static final List<String> MODULES =
            List.of("core", "scsi", "virtio", "testkit", "vhost-user");

    private final Path directory;

    MutantJvm(Path directory) {
        this.directory = directory;
    }

    /** Compiles the mutated class; what to put in front of the class path. */
    Path compile(Mutant mutant) {
        Path classes = directory.resolve("classes");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<String> options = List.of("-d", classes.toString(), "-cp", classPath(),
                "-proc:none", "-nowarn", "-implicit:none", "-g");
        boolean compiled = compiler.getTask(messages, null, null, options, null,
                List.of(new Source(mutant))).call();
        if (!compiled) {
            throw new AssertionError("the mutant does not compile: " + mutant + "\n" + messages);
        }
        return classes;
    }

    /** Runs tests, given as {@code Class#method} with packages, with classes in front. */
    Outcome run(List<Path> classes, List<String> tests) {
        List<String> path = new ArrayList<>();
        classes.forEach(each -> path.add(each.toString()));
        path.add(classPath());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-ea",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx512m",
                "-cp", String.join(System.getProperty("path.separator"), path),
                OneTest.class.getName(), String.valueOf(
                        classes.isEmpty() ? TEST_SECONDS_MAX : MUTATED_TEST_SECONDS_MAX)));
        command.addAll(tests);
        try {
            Path output = directory.resolve("output");
            Process jvm = new ProcessBuilder(command)
                    .redirectErrorStream(true).redirectOutput(output.toFile()).start();
            if (!jvm.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                jvm.destroyForcibly().waitFor();
                return new Outcome(-1, Files.readString(output));
            }
            return new Outcome(jvm.exitValue(), Files.readString(output));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted while a test ran", e);
        }
    }

    /** Our own class path, and the tests of the modules that are tested where they are. */
    private static String classPath() {
        List<String> path = new ArrayList<>();
        path.add(System.getProperty("java.class.path"));
        for (String module : MODULES) {
            path.add(SourceTree.root().resolve(module).resolve("target/test-classes").toString());
        }
        return String.join(System.getProperty("path.separator"), path);
    }

    /**
     * How a run ended.
     *
     * @param verdict the exit status of {@link OneTest}, or -1 if it did not end
     * @param output what it printed
     */
    record Outcome(int verdict, String output) {}

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(Mutant mutant) {
            super(URI.create("string:///" + mutant.type() + ".java"), JavaFileObject.Kind.SOURCE);
            this.text = mutant.apply();
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
