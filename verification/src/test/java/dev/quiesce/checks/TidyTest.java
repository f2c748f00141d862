package dev.quiesce.checks;

import com.github.javaparser.ast.Node;
import com.github.javaparser.ast.body.CallableDeclaration;
import com.github.javaparser.ast.body.ClassOrInterfaceDeclaration;
import com.github.javaparser.ast.body.CompactConstructorDeclaration;
import com.github.javaparser.ast.body.FieldDeclaration;
import com.github.javaparser.ast.body.InitializerDeclaration;
import com.github.javaparser.ast.body.MethodDeclaration;
import com.github.javaparser.ast.expr.AnnotationExpr;
import com.github.javaparser.ast.nodeTypes.NodeWithAnnotations;
import com.github.javaparser.ast.stmt.CatchClause;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The house style's limits on the shape of the sources. The banned calls are BannedCallsTest's. */
class TidyTest {
    private static final int MAX_COLUMNS = 100;
    private static final int MAX_FILE_LINES = 600;
    private static final int MAX_METHOD_LINES = 60;
    private static final int MAX_PARAMETERS = 5;
    private static final int MAX_PACKAGE_TYPES = 20;
    private static final Set<String> BANNED_PACKAGES = Set.of("util", "common", "impl", "internal");
    // Put together from halves, or this very line would be an offender.
    private static final Pattern UNFINISHED =
            Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");

    private static List<SourceFile> sources;

    @BeforeAll
    static void readSources() {
        sources = SourceTree.javaFiles();
    }

    @Test
    void shouldKeepFilesAndLinesShort() {
        Offenders offenders = new Offenders("at most 600 lines of 100 columns");

        for (SourceFile file : sources) {
            if (file.lines().size() > MAX_FILE_LINES) {
                offenders.add(file.path().toString(), file.lines().size() + " lines");
            }
            for (int i = 0; i < file.lines().size(); i++) {
                if (file.lines().get(i).length() > MAX_COLUMNS) {
                    offenders.add(file.at(i + 1), file.lines().get(i).length() + " columns");
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldHaveNoTabsAndNoTrailingSpaces() {
        Offenders offenders = new Offenders("no tabs, no spaces at the end of a line");

        for (SourceFile file : sources) {
            for (int i = 0; i < file.lines().size(); i++) {
                String line = file.lines().get(i);
                if (line.indexOf('\t') >= 0 || !line.stripTrailing().equals(line)) {
                    offenders.add(file.at(i + 1), "white space");
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldLeaveNothingUnfinished() {
        Offenders offenders = new Offenders("finish it, or open an issue");

        for (SourceFile file : sources) {
            for (int i = 0; i < file.lines().size(); i++) {
                if (UNFINISHED.matcher(file.lines().get(i)).find()) {
                    offenders.add(file.at(i + 1), file.lines().get(i).strip());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldKeepMethodsShort() {
        Offenders offenders = new Offenders("a method has at most 60 lines");

        for (SourceFile file : sources) {
            for (Node method : methods(file)) {
                int lines = method.getRange().map(r -> r.end.line - r.begin.line + 1).orElse(0);
                if (lines > MAX_METHOD_LINES) {
                    offenders.add(file.at(method), lines + " lines");
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldTakeFewParameters() {
        Offenders offenders = new Offenders("at most 5 parameters, else a record");

        for (SourceFile file : sources) {
            for (CallableDeclaration<?> method : callables(file)) {
                if (file.isMain() && method.getParameters().size() > MAX_PARAMETERS) {
                    offenders.add(file.at(method), method.getNameAsString());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldKeepPackagesSmallDescribedAndWellNamed() {
        Offenders offenders = new Offenders("a package: <= 20 types, a package-info, a good name");

        for (Map.Entry<Path, List<SourceFile>> entry : mainPackages().entrySet()) {
            String where = entry.getKey().toString();
            int types = entry.getValue().stream().mapToInt(f -> f.unit().getTypes().size()).sum();
            if (types > MAX_PACKAGE_TYPES) {
                offenders.add(where, types + " types");
            }
            if (entry.getValue().stream().noneMatch(SourceFile::isPackageInfo)) {
                offenders.add(where, "no package-info.java");
            }
            if (BANNED_PACKAGES.contains(entry.getKey().getFileName().toString())) {
                offenders.add(where, "is not a name of the domain");
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldMarkPublishedPackagesAsNullSafe() {
        Offenders offenders = new Offenders("a published package is @NullMarked");

        for (SourceFile file : sources) {
            if (file.isPublished() && file.isPackageInfo() && !isNullMarked(file)) {
                offenders.add(file.path().toString(), "is not");
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldImportByName() {
        Offenders offenders = new Offenders("no star imports");

        for (SourceFile file : sources) {
            file.unit().getImports().stream()
                    .filter(i -> i.isAsterisk())
                    .forEach(i -> offenders.add(file.at(i), i.getNameAsString() + ".*"));
        }

        offenders.assertNone();
    }

    @Test
    void shouldCloseTypesToExtension() {
        Offenders offenders = new Offenders("a class is final, sealed or abstract");

        for (SourceFile file : sources) {
            for (ClassOrInterfaceDeclaration type :
                    file.unit().findAll(ClassOrInterfaceDeclaration.class)) {
                if (file.isPublished() && isOpen(type)) {
                    offenders.add(file.at(type), type.getNameAsString());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldHaveNoStaticMutableState() {
        Offenders offenders = new Offenders("no static mutable state, any number of block layers");

        for (SourceFile file : sources) {
            for (FieldDeclaration field : file.unit().findAll(FieldDeclaration.class)) {
                if (file.isPublished() && field.isStatic() && !field.isFinal()) {
                    offenders.add(file.at(field), field.getVariables().toString());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldNameAccessorsWithoutGet() {
        Offenders offenders = new Offenders("no get prefix");

        for (SourceFile file : sources) {
            for (MethodDeclaration method : file.unit().findAll(MethodDeclaration.class)) {
                boolean getter = method.getNameAsString().matches("get[A-Z].*");
                boolean inherited = method.getAnnotationByName("Override").isPresent();
                if (file.isPublished() && getter && !inherited) {
                    offenders.add(file.at(method), method.getNameAsString());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldHandleWhatIsCaught() {
        Offenders offenders = new Offenders("no empty catch");

        for (SourceFile file : sources) {
            for (CatchClause clause : file.unit().findAll(CatchClause.class)) {
                if (file.isMain() && clause.getBody().getStatements().isEmpty()) {
                    offenders.add(file.at(clause), clause.getParameter().toString());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldSaySuppressionsReason() {
        Offenders offenders = new Offenders("@SuppressWarnings has a comment that says why");

        for (SourceFile file : sources) {
            for (AnnotationExpr annotation : file.unit().findAll(AnnotationExpr.class)) {
                if (annotation.getNameAsString().equals("SuppressWarnings")
                        && !hasCommentNear(file, annotation)) {
                    offenders.add(file.at(annotation), annotation.toString());
                }
            }
        }

        offenders.assertNone();
    }

    private static Map<Path, List<SourceFile>> mainPackages() {
        Map<Path, List<SourceFile>> packages = new TreeMap<>();
        for (SourceFile file : sources) {
            if (file.isMain() && !file.isModuleInfo()) {
                packages.computeIfAbsent(file.path().getParent(), p -> new ArrayList<>()).add(file);
            }
        }
        return packages;
    }

    private static List<Node> methods(SourceFile file) {
        List<Node> methods = new ArrayList<>(callables(file));
        methods.addAll(file.unit().findAll(CompactConstructorDeclaration.class));
        methods.addAll(file.unit().findAll(InitializerDeclaration.class));
        return methods;
    }

    private static List<CallableDeclaration<?>> callables(SourceFile file) {
        List<CallableDeclaration<?>> found = new ArrayList<>();
        file.unit().walk(CallableDeclaration.class, found::add);
        return found;
    }

    private static boolean isNullMarked(SourceFile file) {
        return file.unit()
                .getPackageDeclaration()
                .map(NodeWithAnnotations::getAnnotations)
                .map(all -> all.stream().anyMatch(a -> a.getNameAsString().equals("NullMarked")))
                .orElse(false);
    }

    private static boolean isOpen(ClassOrInterfaceDeclaration type) {
        return !type.isInterface()
                && !type.isFinal()
                && !type.isAbstract()
                && type.getModifiers().stream().noneMatch(m -> m.toString().startsWith("sealed"))
                && !type.isLocalClassDeclaration();
    }

    private static boolean hasCommentNear(SourceFile file, Node node) {
        int line = node.getBegin().map(p -> p.line).orElse(1);
        String here = file.lines().get(line - 1);
        String above = line > 1 ? file.lines().get(line - 2).strip() : "";
        return here.contains("//") || above.startsWith("//");
    }
}
