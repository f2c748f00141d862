package dev.quiesce.checks;

import com.github.javaparser.ast.Node;
import com.github.javaparser.ast.body.MethodDeclaration;
import com.github.javaparser.ast.body.TypeDeclaration;
import com.github.javaparser.ast.expr.AnnotationExpr;
import com.github.javaparser.ast.expr.StringLiteralExpr;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which tests say, with {@code @Rule}, that they prove which rule. */
final class Citations {
    private final Map<RuleId, Set<String>> tests = new TreeMap<>();
    private final Map<String, Set<String>> malformed = new TreeMap<>();

    Citations(List<SourceFile> sources) {
        for (SourceFile file : sources) {
            for (AnnotationExpr annotation : file.unit().findAll(AnnotationExpr.class)) {
                if (annotation.getNameAsString().equals("Rule")) {
                    String test = test(file, annotation);
                    annotation.findAll(StringLiteralExpr.class)
                            .forEach(rule -> add(rule.asString(), test));
                }
            }
        }
    }

    /** The rules that are cited, with the tests that do: class and method, or the class alone. */
    Map<RuleId, Set<String>> tests() {
        return tests;
    }

    /** Citations of what is no number of a rule. */
    Map<String, Set<String>> malformed() {
        return malformed;
    }

    private void add(String rule, String test) {
        if (RuleId.isOne(rule)) {
            tests.computeIfAbsent(RuleId.of(rule), r -> new TreeSet<>()).add(test);
        } else {
            malformed.computeIfAbsent(rule, r -> new TreeSet<>()).add(test);
        }
    }

    private static String test(SourceFile file, Node annotation) {
        String method = "";
        for (Node at = annotation; at != null; at = at.getParentNode().orElse(null)) {
            if (at instanceof MethodDeclaration declared) {
                method = "." + declared.getNameAsString();
            } else if (at instanceof TypeDeclaration<?> declared) {
                return declared.getNameAsString() + method;
            }
        }
        return file.name() + method;
    }
}
