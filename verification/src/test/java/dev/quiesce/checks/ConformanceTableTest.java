package dev.quiesce.checks;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.javaparser.ast.Node;
import com.github.javaparser.ast.body.MethodDeclaration;
import com.github.javaparser.ast.body.TypeDeclaration;
import com.github.javaparser.ast.expr.AnnotationExpr;
import com.github.javaparser.ast.expr.StringLiteralExpr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The conformance table says which test proves which rule; it is made from the tests' own
 * citations. Written anew by {@code -Dquiesce.writeConformance=true}.
 */
class ConformanceTableTest {
    private static final Pattern RULE = Pattern.compile("([A-Z]+(?:-T)?)-?(\\d+)([a-z]?)");
    private static final Comparator<String> BY_FAMILY_AND_NUMBER =
            Comparator.comparing(ConformanceTableTest::family)
                    .thenComparingInt(ConformanceTableTest::number)
                    .thenComparing(Comparator.naturalOrder());

    @Test
    void shouldListEveryRuleThatATestCites() throws IOException {
        String table = table(citations());
        Path file = SourceTree.root().resolve("docs/conformance.md");

        if (Boolean.getBoolean("quiesce.writeConformance")) {
            Files.writeString(file, table);
        }

        assertThat(Files.readString(file))
                .as("docs/conformance.md; write it anew with -Dquiesce.writeConformance=true")
                .isEqualTo(table);
    }

    @Test
    void shouldCiteRulesByFamilyAndNumber() {
        Offenders offenders = new Offenders("a rule is cited as FAMILY-number");

        citations().forEach((rule, tests) -> {
            if (!RULE.matcher(rule).matches()) {
                offenders.add(rule, tests.toString());
            }
        });

        offenders.assertNone();
    }

    private static Map<String, Set<String>> citations() {
        Map<String, Set<String>> found = new TreeMap<>(BY_FAMILY_AND_NUMBER);
        for (SourceFile file : SourceTree.javaFiles()) {
            for (AnnotationExpr annotation : file.unit().findAll(AnnotationExpr.class)) {
                if (annotation.getNameAsString().equals("Rule")) {
                    String test = test(file, annotation);
                    annotation.findAll(StringLiteralExpr.class).forEach(rule -> found
                            .computeIfAbsent(rule.asString(), r -> new TreeSet<>())
                            .add(test));
                }
            }
        }
        return found;
    }

    /** Class and method around a citation, or the class alone. */
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

    private static String table(Map<String, Set<String>> citations) {
        StringBuilder text = new StringBuilder();
        text.append("# Conformance\n\n")
                .append("Which test proves which rule. Made from the `@Rule` citations of the")
                .append(" tests by\n`ConformanceTableTest`, which fails when this page is out of")
                .append(" date; write it anew with\n\n")
                .append("    ./mvnw -q -pl verification -am test -Dtest=ConformanceTableTest")
                .append(" -Dquiesce.writeConformance=true")
                .append(" -Dsurefire.failIfNoSpecifiedTests=false\n\n")
                .append("Where we differ from the rule on purpose, a page in")
                .append(" [decisions](decisions/README.md) says so.\n");
        String family = "";
        for (Map.Entry<String, Set<String>> each : citations.entrySet()) {
            if (!family(each.getKey()).equals(family)) {
                family = family(each.getKey());
                text.append("\n## ").append(family).append("\n\n| rule | tests |\n| --- | --- |\n");
            }
            text.append("| ").append(each.getKey()).append(" | ")
                    .append(String.join(", ", List.copyOf(each.getValue()))).append(" |\n");
        }
        return text.toString();
    }

    private static String family(String rule) {
        Matcher matcher = RULE.matcher(rule);
        return matcher.matches() ? matcher.group(1) : rule;
    }

    private static int number(String rule) {
        Matcher matcher = RULE.matcher(rule);
        return matcher.matches() ? Integer.parseInt(matcher.group(2)) : -1;
    }
}
