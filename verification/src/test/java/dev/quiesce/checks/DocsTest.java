package dev.quiesce.checks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The documents: short where they promise to be, and without dead links into the project. */
class DocsTest {
    private static final int MAX_README_LINES = 120;
    private static final String JAVA = "```java";
    private static final String SOURCES = "examples/src/main/java/dev/quiesce/examples/";

    /** Documents that show Java, and where that is compiled. */
    private static final Map<String, String> EXAMPLES = Map.of(
            "README.md", SOURCES + "EmbeddingExample.java",
            "docs/embedding.md", SOURCES + "LoopExample.java");

    /** A target in the text, {@code [text](target)}, or in a definition, {@code [text]: target}. */
    private static final Pattern LINK = Pattern.compile(
            "\\]\\(([^)#\\s]+)(?:#[^)\\s]*)?\\)|^\\[[^\\]]+]: +([^#\\s]+)");

    /** A reference to a type, such as {@code [`Gate`]}, or its definition. */
    private static final Pattern REFERENCE = Pattern.compile("\\[(`[^`\\]]+`)](?!\\()");
    private static final Pattern DEFINITION = Pattern.compile("^\\[(`[^`\\]]+`)]: +\\S+$");

    /** The definition of a reference to a member. */
    private static final Pattern MEMBER =
            Pattern.compile("^\\[`(\\w+)\\.(\\w+)`]: +(\\S+\\.java)$");

    @Test
    void shouldLinkToFilesThatExist() {
        Offenders offenders = new Offenders("a relative link leads to a file");

        for (Path document : SourceTree.files(".md")) {
            List<String> lines = SourceTree.lines(document);
            for (int i = 0; i < lines.size(); i++) {
                Matcher link = LINK.matcher(lines.get(i));
                while (link.find()) {
                    String target = link.group(1) == null ? link.group(2) : link.group(1);
                    if (isDead(document, target)) {
                        offenders.add(place(document, i), target);
                    }
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldDefineEachReferenceToAType() {
        Offenders offenders = new Offenders("a reference such as [`Type`] has a definition");

        for (Path document : SourceTree.files(".md")) {
            List<String> lines = SourceTree.lines(document);
            Set<String> defined = lines.stream().map(DEFINITION::matcher).filter(Matcher::find)
                    .map(definition -> definition.group(1)).collect(Collectors.toSet());
            for (int i = 0; i < lines.size(); i++) {
                Matcher reference = REFERENCE.matcher(lines.get(i));
                while (reference.find()) {
                    if (!defined.contains(reference.group(1))) {
                        offenders.add(place(document, i), reference.group());
                    }
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldNameMembersThatExist() {
        Offenders offenders = new Offenders("[`Type.member`] leads to a type that has the member");

        for (Path document : SourceTree.files(".md")) {
            List<String> lines = SourceTree.lines(document);
            for (int i = 0; i < lines.size(); i++) {
                Matcher member = MEMBER.matcher(lines.get(i));
                if (member.find() && !hasMember(document, member)) {
                    offenders.add(place(document, i), member.group());
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldShowCodeThatIsCompiled() {
        Offenders offenders = new Offenders("Java in a document stands so in an example");

        for (Map.Entry<String, String> shown : EXAMPLES.entrySet()) {
            List<String> compiled =
                    trimmed(SourceTree.lines(SourceTree.root().resolve(shown.getValue())));
            List<String> document =
                    trimmed(SourceTree.lines(SourceTree.root().resolve(shown.getKey())));
            if (!document.contains(JAVA)) {
                offenders.add(shown.getKey(), "shows none");
            }
            for (int i = 0; i < document.size(); i++) {
                if (document.get(i).equals(JAVA)) {
                    List<String> rest = document.subList(i + 1, document.size());
                    List<String> code = rest.subList(0, Math.max(0, rest.indexOf("```")));
                    if (code.isEmpty() || Collections.indexOfSubList(compiled, code) < 0) {
                        offenders.add(shown.getKey() + ":" + (i + 1), String.join("\n    ", code));
                    }
                }
            }
        }

        offenders.assertNone();
    }

    @Test
    void shouldKeepTheReadmeShort() {
        Offenders offenders = new Offenders("README.md has at most 120 lines");

        int lines = SourceTree.lines(SourceTree.root().resolve("README.md")).size();
        if (lines > MAX_README_LINES) {
            offenders.add("README.md", lines + " lines");
        }

        offenders.assertNone();
    }

    private static boolean hasMember(Path document, Matcher member) {
        Path source = document.resolveSibling(member.group(3));
        Pattern word = Pattern.compile("\\b" + member.group(2) + "\\b");
        return source.endsWith(member.group(1) + ".java") && Files.exists(source)
                && SourceTree.lines(source).stream().anyMatch(word.asPredicate());
    }

    private static List<String> trimmed(List<String> lines) {
        return lines.stream().map(String::trim).toList();
    }

    private static String place(Path document, int line) {
        return SourceTree.root().relativize(document) + ":" + (line + 1);
    }

    private static boolean isDead(Path document, String target) {
        return !target.contains(":") && !Files.exists(document.resolveSibling(target));
    }
}
