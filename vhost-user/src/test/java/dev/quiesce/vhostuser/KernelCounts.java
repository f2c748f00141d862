package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** What the kernel holds for this process. */
final class KernelCounts {
    private KernelCounts() {
    }

    static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    /** What the descriptors are open on, to say what was left over. */
    static List<String> targets() throws IOException {
        return targets(ProcessHandle.current().pid());
    }

    /** The same of any process of this user. */
    static List<String> targets(long process) throws IOException {
        List<String> targets = new ArrayList<>();
        try (Stream<Path> open = Files.list(descriptorsOf(process))) {
            for (Path each : open.toList()) {
                targets.add(target(each));
            }
        }
        Collections.sort(targets);
        return targets;
    }

    static boolean isOpen(long process, int descriptor) {
        Path name = descriptorsOf(process).resolve(Integer.toString(descriptor));
        return Files.exists(name, LinkOption.NOFOLLOW_LINKS);
    }

    private static Path descriptorsOf(long process) {
        return Path.of("/proc", Long.toString(process), "fd");
    }

    /** Descriptors of the same pipe end, socket or file as this one, which is counted too. */
    static long onTheSameAs(FileDescriptor descriptor) throws IOException {
        String target = target(PassedFile.nameOf(descriptor));
        return targets().stream().filter(target::equals).count();
    }

    /**
     * What is open now and was not before. Sockets and pipes have names of their own, and another
     * descriptor of one that was there is no matter: duplicates that were cut off are made again
     * when they are needed. Everything else is counted by its name, except for jars, which the JVM
     * opens when it likes.
     */
    static List<String> openedSince(List<String> before) throws IOException {
        List<String> opened = targets();
        opened.removeIf(target -> target.endsWith(".jar")
                || (isNumbered(target) && before.contains(target)));
        before.forEach(opened::remove);
        return opened;
    }

    static boolean isNumbered(String target) {
        return target.startsWith("socket:[") || target.startsWith("pipe:[");
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

    /** Collects garbage until something holds, or it does not help any more. */
    static boolean settles(Condition condition) throws IOException {
        long deadline = System.nanoTime() + Machine.LIMIT_NANOS;
        while (!condition.holds()) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            System.gc();
        }
        return true;
    }

    /** Something that the kernel can be asked. */
    interface Condition {
        boolean holds() throws IOException;
    }
}
