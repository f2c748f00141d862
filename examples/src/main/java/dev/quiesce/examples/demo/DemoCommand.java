package dev.quiesce.examples.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The {@code demo} command. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Runs a mock guest on a disk image while everything happens to its disks.",
        footer = {
            "",
            "Attaches the image through virtio-scsi, probes the bus as Linux does, compares every"
                    + " byte with the file, then reads and writes at random, and checks what it"
                    + " reads, while the disks are drained, moved, reset and unplugged. The image"
                    + " is never changed: writes go to an overlay in memory.",
            "",
            "Ctrl-C ends the storm early; the result is printed all the same, and the exit code is"
                    + " the signal's (130), or 1 if something had failed."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:passed", "1:something failed", "2:wrong usage"})
public final class DemoCommand implements Callable<Integer> {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(names = "--image", paramLabel = "FILE",
            description = "The disk image (default: the JDK's own lib/modules).")
    private @Nullable Path image;

    @Option(names = "--luns", paramLabel = "N", defaultValue = "2",
            converter = Range.Luns.class,
            description = "Disks, each an overlay of its own (1..256, default: ${DEFAULT-VALUE}).")
    private int luns;

    @Option(names = "--queues", paramLabel = "N", defaultValue = "2",
            converter = Range.Queues.class,
            description = "Request queues (1..64, default: ${DEFAULT-VALUE}).")
    private int queues;

    @Option(names = "--iothreads", paramLabel = "N", defaultValue = "2",
            converter = Range.IoThreads.class,
            description = "IOThreads; 0 runs everything on one thread"
                    + " (0..64, default: ${DEFAULT-VALUE}).")
    private int ioThreads;

    @Option(names = "--depth", paramLabel = "N", defaultValue = "16",
            converter = Range.Depth.class,
            description = "Commands in flight per queue (1..128, default: ${DEFAULT-VALUE}).")
    private int depth;

    @Option(names = "--seconds", paramLabel = "N", defaultValue = "60",
            converter = Range.Seconds.class,
            description = "Length of the storm in seconds (0..86400, default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            converter = Range.Seed.class,
            description = "Seed of every random choice (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "9223372036854775807",
            converter = Range.Steps.class,
            description = "Ends the storm after so many steps of the guest, for runs to compare"
                    + " (default: no bound).")
    private long steps;

    @Option(names = "--json", description = "Prints the result as JSON, nothing else on stdout.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        DemoConfig config = new DemoConfig(image == null ? defaultImage() : image,
                luns, queues, ioThreads, depth, seconds, seed, steps);
        if (config.image().toString().isEmpty()) {
            throw new ParameterException(spec.commandLine(), "--image must name a file, is ''");
        }
        PrintWriter err = spec.commandLine().getErr();
        try (StopSignal stop = new StopSignal(err)) {
            DemoResult result = run(config, stop);
            for (String failure : result.failures()) {
                err.println("demo: " + failure);
            }
            err.flush();
            if (result.failures().isEmpty()) {
                stop.passed();
                return CommandLine.ExitCode.OK;
            }
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private DemoResult run(DemoConfig config, StopSignal stop)
            throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        DemoResult result;
        try {
            result = new Demo(
                    config, stop::isRequested, json ? err : out, err, Demo.LATE_NANOS).run();
        } catch (IOException | RuntimeException e) {
            if (!stop.isRequested()) {
                throw e;
            }
            result = new DemoResult(); // The process goes with us: nobody else can report it.
            result.fail(e.toString());
            return result;
        }
        out.println(json ? result.toJson() : result.toTable());
        out.flush();
        return result;
    }

    private static Path defaultImage() {
        return Path.of(System.getProperty("java.home"), "lib", "modules");
    }
}
