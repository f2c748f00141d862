package dev.quiesce.checks;

import com.github.javaparser.JavaParser;
import com.github.javaparser.ParserConfiguration;
import com.github.javaparser.ParserConfiguration.LanguageLevel;
import com.github.javaparser.ast.CompilationUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Finds the project's root and reads its files. */
public final class SourceTree {
    private SourceTree() {}

    /**
     * The directory that holds the wrapper: the root, from whichever module the test runs.
     *
     * @return an absolute path
     */
    public static Path root() {
        Path dir = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(dir.resolve(".mvn"))) {
            dir = dir.getParent();
            if (dir == null) {
                throw new IllegalStateException("not started inside the project");
            }
        }
        return dir;
    }

    /**
     * All files below the root with this ending, except what the build made. What others write
     * while we look, the build above all, is not even looked at.
     */
    static List<Path> files(String ending) {
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(root(), new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                    return isOurs(dir) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (file.toString().endsWith(ending) && isOurs(file)) {
                        found.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Collections.sort(found);
        return found;
    }

    /**
     * The full name of a type of ours that is known by its simple name.
     *
     * @param simpleName as its source file is called; no other file is called so
     * @return the name with its package
     */
    public static String typeNamed(String simpleName) {
        List<Path> found = files(".java").stream()
                .filter(p -> p.getFileName().toString().equals(simpleName + ".java")).toList();
        if (found.size() != 1) {
            throw new IllegalStateException("files called " + simpleName + ": " + found);
        }
        // Module, src, main or test, java: then comes the package.
        Path below = root().relativize(found.get(0));
        StringBuilder name = new StringBuilder();
        for (Path part : below.subpath(4, below.getNameCount() - 1)) {
            name.append(part).append('.');
        }
        return name + simpleName;
    }

    static List<SourceFile> javaFiles() {
        ParserConfiguration config =
                new ParserConfiguration().setLanguageLevel(LanguageLevel.JAVA_17);
        JavaParser parser = new JavaParser(config);
        return files(".java").stream().map(p -> parse(parser, p)).toList();
    }

    static List<String> lines(Path file) {
        try {
            return Files.readString(file).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    private static boolean isOurs(Path file) {
        for (Path part : root().relativize(file)) {
            String name = part.toString();
            if (name.equals("target") || name.startsWith(".")) {
                return false;
            }
        }
        return true;
    }

    private static SourceFile parse(JavaParser parser, Path file) {
        Path path = root().relativize(file);
        List<String> lines = lines(file);
        CompilationUnit unit =
                parser.parse(String.join("\n", lines))
                        .getResult()
                        .orElseThrow(() -> new IllegalStateException("does not parse: " + path));
        String module = path.getName(0).toString();
        boolean isMain = path.toString().replace('\\', '/').contains("/src/main/");
        return new SourceFile(path, module, isMain, lines, unit);
    }
}
