package dev.quiesce.examples.demo;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The {@code demo} command. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Attaches a disk image to a mock guest through virtio-scsi, probes it, compares every",
            "byte, then reads and writes at random while the disks are drained, moved, reset and",
            "unplugged.",
            "The image is never changed: writes go to an overlay in memory."
        })
public final class DemoCommand implements Callable<Integer> {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(names = "--image", paramLabel = "FILE",
            description = "The disk image (default: the JDK's own lib/modules).")
    private @Nullable Path image;

    @Option(names = "--luns", paramLabel = "N", defaultValue = "2",
            description = "Disks, each an overlay of its own (default: ${DEFAULT-VALUE}).")
    private int luns;

    @Option(names = "--queues", paramLabel = "N", defaultValue = "2",
            description = "Request queues (default: ${DEFAULT-VALUE}).")
    private int queues;

    @Option(names = "--iothreads", paramLabel = "N", defaultValue = "2",
            description = "IOThreads; 0 runs everything on one thread (default: ${DEFAULT-VALUE}).")
    private int ioThreads;

    @Option(names = "--depth", paramLabel = "N", defaultValue = "16",
            description = "Commands in flight per queue (default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(names = "--seconds", paramLabel = "N", defaultValue = "60",
            description = "Length of the storm (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Seed of every random choice (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "9223372036854775807",
            description = "Ends the storm after so many steps of the guest, for runs to compare"
                    + " (default: no bound).")
    private long steps;

    @Option(names = "--json", description = "Prints the result as JSON, nothing else on stdout.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        DemoConfig config;
        try {
            config = new DemoConfig(image == null ? defaultImage() : image,
                    luns, queues, ioThreads, depth, seconds, seed, steps);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), String.valueOf(e.getMessage()));
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        DemoResult result = new Demo(config, json ? err : out, err, !json).run();
        out.println(json ? result.toJson() : result.toTable());
        out.flush();
        for (String failure : result.failures()) {
            err.println("demo: " + failure);
        }
        err.flush();
        return result.failures().isEmpty() ? 0 : 1;
    }

    private static Path defaultImage() {
        return Path.of(System.getProperty("java.home"), "lib", "modules");
    }
}
