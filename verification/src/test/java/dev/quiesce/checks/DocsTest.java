package dev.quiesce.checks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The documents: short where they promise to be, and without dead links into the project. */
class DocsTest {
    private static final int MAX_README_LINES = 120;
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)\\s]*)?\\)");

    @Test
    void shouldLinkToFilesThatExist() {
        Offenders offenders = new Offenders("a relative link leads to a file");

        for (Path document : SourceTree.files(".md")) {
            List<String> lines = SourceTree.lines(document);
            for (int i = 0; i < lines.size(); i++) {
                Matcher link = LINK.matcher(lines.get(i));
                while (link.find()) {
                    if (isDead(document, link.group(1))) {
                        Path where = SourceTree.root().relativize(document);
                        offenders.add(where + ":" + (i + 1), link.group(1));
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

    private static boolean isDead(Path document, String target) {
        return !target.contains(":") && !Files.exists(document.resolveSibling(target));
    }
}
