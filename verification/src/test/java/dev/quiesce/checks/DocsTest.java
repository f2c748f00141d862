package dev.quiesce.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The documents: short where they promise to be, without dead links, and with no code that is not
 * compiled.
 */
class DocsTest {
    private static final int MAX_README_LINES = 120;
    private static final String JAVA = "```java";
    private static final String SOURCES = "examples/src/main/java/dev/quiesce/examples/";

    /** Documents that show Java, and where that is compiled. */
    private static final Map<String, String> EXAMPLES = Map.of(
            "README.md", SOURCES + "EmbeddingExample.java",
            "docs/drain.md", SOURCES + "DrainExample.java",
            "docs/embedding.md", SOURCES + "LoopExample.java",
            "docs/threads.md", SOURCES + "ThreadsExample.java",
            "docs/vhost-user.md", SOURCES + "VhostUserExample.java");

    /** A target in the text, {@code [text](target)}, or in a definition, {@code [text]: target}. */
    private static final Pattern LINK = Pattern.compile(
            "\\]\\(([^)#\\s]+)(?:#[^)\\s]*)?\\)|^\\[[^\\]]+]: +([^#\\s]+)");

    /** A link to a heading of this document or of another one. */
    private static final Pattern ANCHOR = Pattern.compile("\\]\\(([^)#:\\s]*)#([^)\\s]+)\\)");

    /** What a heading loses when it becomes the name of its anchor. */
    private static final Pattern NOT_IN_ANCHOR = Pattern.compile("[^\\p{L}\\p{N} _-]");

    /** A reference to a type, such as {@code [`Gate`]}, or its definition. */
    private static final Pattern REFERENCE = Pattern.compile("\\[(`[^`\\]]+`)](?!\\()");
    private static final Pattern DEFINITION = Pattern.compile("^\\[(`[^`\\]]+`)]: +\\S+$");

    /** The name of a decision's page. */
    private static final Pattern DECISION = Pattern.compile("\\d{4}-[a-z0-9-]+\\.md");

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
    void shouldLinkToHeadingsThatExist() {
        Offenders offenders = new Offenders("a link such as page.md#part leads to a heading");

        for (Path document : SourceTree.files(".md")) {
            List<String> lines = SourceTree.lines(document);
            for (int i = 0; i < lines.size(); i++) {
                Matcher link = ANCHOR.matcher(lines.get(i));
                while (link.find()) {
                    Path target = link.group(1).isEmpty()
                            ? document : document.resolveSibling(link.group(1));
                    if (!Files.exists(target) || !anchors(target).contains(link.group(2))) {
                        offenders.add(place(document, i), link.group());
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

        Set<String> shown = new TreeSet<>();
        for (Path document : SourceTree.files(".md")) {
            List<String> lines = trimmed(SourceTree.lines(document));
            String name = SourceTree.root().relativize(document).toString().replace('\\', '/');
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).equals(JAVA)) {
                    shown.add(name);
                    List<String> rest = lines.subList(i + 1, lines.size());
                    List<String> code = rest.subList(0, Math.max(0, rest.indexOf("```")));
                    if (code.isEmpty() || !isCompiled(code, EXAMPLES.get(name))) {
                        offenders.add(place(document, i), String.join("\n    ", code));
                    }
                }
            }
        }

        offenders.assertNone();
        assertThat(shown).as("documents that show Java").isEqualTo(EXAMPLES.keySet());
    }

    @Test
    void shouldNameEachDecisionWhereTheyAreListed() {
        Offenders offenders = new Offenders("each decision is linked from its index and the "
                + "architecture");

        Path docs = SourceTree.root().resolve("docs");
        for (Path page : SourceTree.files(".md")) {
            if (DECISION.matcher(page.getFileName().toString()).matches()) {
                for (String list : List.of("decisions/README.md", "architecture.md")) {
                    String link = page.getFileName() + ")";
                    if (SourceTree.lines(docs.resolve(list)).stream()
                            .noneMatch(line -> line.contains(link))) {
                        offenders.add(list, page.getFileName().toString());
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

    /** Whether the lines stand one after the other in an example; with none, in no example. */
    private static boolean isCompiled(List<String> code, @Nullable String example) {
        return example != null && Collections.indexOfSubList(
                trimmed(SourceTree.lines(SourceTree.root().resolve(example))), code) >= 0;
    }

    /** The anchors of a document's headings, as they are made where it is shown. */
    private static Set<String> anchors(Path document) {
        Set<String> found = new HashSet<>();
        boolean inCode = false;
        for (String line : SourceTree.lines(document)) {
            inCode ^= line.startsWith("```");
            if (!inCode && line.startsWith("#")) {
                String title = line.substring(line.indexOf(' ') + 1).toLowerCase(Locale.ROOT);
                found.add(NOT_IN_ANCHOR.matcher(title).replaceAll("").replace(' ', '-'));
            }
        }
        return found;
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
