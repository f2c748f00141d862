package dev.quiesce.examples.daemon.option;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * An export to be made.
 *
 * @param id its name
 * @param socket where front ends connect
 * @param nodeNames the nodes that are its first disks, in LUN order
 * @param writable whether guests may write
 * @param queues how many request queues
 * @param mapping who serves them
 */
public record ExportOptions(String id, Path socket, List<String> nodeNames, boolean writable,
        int queues, QueueOptions mapping) {
    /** Keys that may be given several times. */
    public static final Set<String> REPEATABLE = Set.of("node-name");

    /** The protocol numbers queues with a byte, two of them not for requests. */
    private static final int QUEUES_MAX = 254;

    /** What the kernel takes as the path of a socket. */
    private static final int PATH_BYTES_MAX = 107;

    /**
     * Copies the list.
     *
     * @param id as the component
     * @param socket as the component
     * @param nodeNames as the component
     * @param writable as the component
     * @param queues as the component
     * @param mapping as the component
     */
    public ExportOptions {
        nodeNames = List.copyOf(nodeNames);
    }

    /**
     * Reads the arguments of an export.
     *
     * @param arguments all of them
     * @return the export
     * @throws WrongOptionException if one is wrong
     */
    public static ExportOptions read(Arguments arguments) {
        arguments.string("type");
        arguments.choice("type", "vhost-user-scsi");
        String id = arguments.string("id");
        Path socket = socket(arguments);
        List<String> nodes = arguments.strings("node-name");
        boolean writable = arguments.bool("writable", true);
        int queues = (int) arguments.integer("num-queues", 1, QUEUES_MAX, 1);
        QueueOptions mapping = QueueOptions.read(arguments, queues);
        arguments.finish();
        return new ExportOptions(id, socket, nodes, writable, queues, mapping);
    }

    private static Path socket(Arguments arguments) {
        Arguments address = arguments.object("addr");
        address.string("type");
        address.choice("type", "unix");
        String text = address.string("path");
        address.finish();
        if (text.getBytes(UTF_8).length > PATH_BYTES_MAX) {
            throw address.unsuitable("path", "at most " + PATH_BYTES_MAX + " bytes");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw address.unsuitable("path", "a path");
        }
    }
}
