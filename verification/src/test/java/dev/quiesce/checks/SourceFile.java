package dev.quiesce.checks;

import com.github.javaparser.ast.CompilationUnit;
import com.github.javaparser.ast.Node;
import java.nio.file.Path;
import java.util.List;

/**
 * One parsed source file.
 *
 * @param path where it is, relative to the root of the project
 * @param module the directory of its Maven module
 * @param isMain whether it is main code, not a test
 * @param lines its lines, without their ends
 * @param unit its syntax tree
 */
record SourceFile(
        Path path, String module, boolean isMain, List<String> lines, CompilationUnit unit) {
    private static final List<String> LIBRARY =
            List.of("core", "scsi", "virtio", "testkit", "vhost-user");

    boolean isPublished() {
        return isMain && LIBRARY.contains(module);
    }

    String name() {
        return path.getFileName().toString();
    }

    boolean isPackageInfo() {
        return name().equals("package-info.java");
    }

    boolean isModuleInfo() {
        return name().equals("module-info.java");
    }

    String packageName() {
        return unit.getPackageDeclaration().map(p -> p.getNameAsString()).orElse("");
    }

    String at(Node node) {
        return at(node.getBegin().map(p -> p.line).orElse(1));
    }

    String at(int line) {
        return path + ":" + line;
    }
}
