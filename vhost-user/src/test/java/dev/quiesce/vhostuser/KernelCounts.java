package dev.quiesce.vhostuser;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** What the kernel holds for this process. */
final class KernelCounts {
    private static final int COLLECTIONS_MAX = 200;

    private KernelCounts() {
    }

    static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    /** What the descriptors are open on, to say what was left over. */
    static List<String> targets() throws IOException {
        List<String> targets = new ArrayList<>();
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : open.toList()) {
                targets.add(target(each));
            }
        }
        Collections.sort(targets);
        return targets;
    }

    static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closedMeanwhile) {
            return "closed";
        }
    }

    /** Mappings of files with this in their name. */
    static long mappings(String name) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains(name)).count();
        }
    }

    /** Collects garbage until a number is no larger than a limit, or it does not help any more. */
    static boolean settles(Count count, long limit) throws IOException {
        for (int i = 0; i < COLLECTIONS_MAX; i++) {
            if (count.now() <= limit) {
                return true;
            }
            System.gc();
        }
        return false;
    }

    /** Something that is counted. */
    interface Count {
        long now() throws IOException;
    }
}
