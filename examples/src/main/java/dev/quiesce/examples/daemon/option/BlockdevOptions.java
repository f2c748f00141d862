package dev.quiesce.examples.daemon.option;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A node to be made.
 *
 * @param nodeName its name; empty for a nested definition without one
 * @param readOnly whether what modifies is refused
 * @param source what its driver is
 */
public record BlockdevOptions(String nodeName, boolean readOnly, Source source) {
    private static final long NULL_BYTES = 1L << 30;

    /** What the memory driver can keep account of. */
    private static final long MEMORY_BYTES_MAX = 16L << 40;
    private static final String DRIVERS =
            "one of file, raw, memory, null-co, null-aio, overlay, passthrough";

    /** What a driver is made of. */
    public sealed interface Source {}

    /**
     * A host file.
     *
     * @param filename where it is
     * @param autoReadOnly whether it is opened read-only if it may not be written
     */
    public record HostFile(Path filename, boolean autoReadOnly) implements Source {}

    /**
     * Bytes in memory.
     *
     * @param bytes how many
     */
    public record Memory(long bytes) implements Source {}

    /**
     * Nothing: zeroes.
     *
     * @param bytes how many
     */
    public record Null(long bytes) implements Source {}

    /**
     * A window onto another node.
     *
     * @param file the other node
     * @param offset where it begins
     * @param bytes how long it is, or {@link Long#MAX_VALUE} for the rest
     */
    public record Raw(Child file, long offset, long bytes) implements Source {}

    /**
     * A copy-on-write layer in memory.
     *
     * @param file the node below, which is only read
     * @param maxBytes how much memory it may take
     */
    public record Overlay(Child file, long maxBytes) implements Source {}

    /**
     * A node that hands everything on.
     *
     * @param file the node below
     */
    public record Passthrough(Child file) implements Source {}

    /** The node below: one that is there, or one that is made with this one. */
    public sealed interface Child {}

    /**
     * A node that is there.
     *
     * @param nodeName its name
     */
    public record Reference(String nodeName) implements Child {}

    /**
     * A node that is made, and removed, together with the one above it.
     *
     * @param options what it is
     */
    public record Nested(BlockdevOptions options) implements Child {}

    /**
     * Reads the arguments of a node.
     *
     * @param arguments all of them
     * @return the node
     * @throws WrongOptionException if one is wrong
     */
    public static BlockdevOptions read(Arguments arguments) {
        return readAll(arguments, arguments.string("node-name"));
    }

    private static BlockdevOptions readAll(Arguments arguments, String nodeName) {
        String driver = arguments.string("driver");
        boolean readOnly = arguments.bool("read-only", false);
        Source source = switch (driver) {
            case "file" -> hostFile(arguments);
            case "raw" -> new Raw(child(arguments), arguments.size("offset", 0),
                    arguments.size("size", Long.MAX_VALUE));
            case "memory" -> memory(arguments);
            case "null", "null-co", "null-aio" -> nothing(arguments);
            case "overlay" -> new Overlay(child(arguments),
                    arguments.size("max-memory", Runtime.getRuntime().maxMemory() / 2));
            case "passthrough" -> new Passthrough(child(arguments));
            default -> throw arguments.unsuitable("driver", DRIVERS);
        };
        // What others have and this daemon does not: only the value that changes nothing.
        arguments.choice("detect-zeroes", "off");
        arguments.finish();
        return new BlockdevOptions(nodeName, readOnly, source);
    }

    private static HostFile hostFile(Arguments arguments) {
        HostFile file = new HostFile(path(arguments), arguments.bool("auto-read-only", false));
        arguments.choice("aio", "threads");
        arguments.choice("discard", "ignore", "off");
        Arguments cache = arguments.object("cache");
        requireOff(cache, "direct");
        requireOff(cache, "no-flush");
        cache.finish();
        return file;
    }

    private static void requireOff(Arguments cache, String key) {
        if (cache.bool(key, false)) {
            throw cache.unsuitable(key, "off");
        }
    }

    private static Path path(Arguments arguments) {
        String text = arguments.string("filename");
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw arguments.unsuitable("filename", "a path ("
                    + e.getReason().toLowerCase(Locale.ROOT) + ")");
        }
    }

    private static Memory memory(Arguments arguments) {
        long bytes = arguments.size("size");
        if (bytes > MEMORY_BYTES_MAX) {
            throw arguments.unsuitable("size", "at most 16T bytes");
        }
        return new Memory(bytes);
    }

    private static Null nothing(Arguments arguments) {
        long bytes = arguments.size("size", NULL_BYTES);
        arguments.bool("read-zeroes", true);
        return new Null(bytes);
    }

    private static Child child(Arguments arguments) {
        if (!arguments.isObject("file")) {
            return new Reference(arguments.string("file"));
        }
        Arguments nested = arguments.object("file");
        String name = nested.optionalString("node-name");
        return new Nested(readAll(nested, name == null ? "" : name));
    }
}
