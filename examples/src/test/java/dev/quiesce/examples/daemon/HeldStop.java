package dev.quiesce.examples.daemon;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The storage daemon, stopped at the worst moment: when it shuts its guest out, the disk has taken
 * commands and carried out none of them. File writes are too quick to be caught so by chance.
 *
 * <p>When it is about to close the connection, a drained section begins. As soon as {@link #HELD}
 * commands wait for its end, that is said on standard output, and a line is awaited on standard
 * input. Then the connection is closed. The section ends when the server is seen to wait for what
 * it has fetched; or, if it does not wait, when the connection has gone.
 */
final class HeldStop implements Transport {
    /** How many commands are held: all that the guest has. */
    static final int HELD = 24;
    static final String ALL_HELD = "all held";


    private final Transport sockets = new VhostUserTransport();

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new StorageDaemonCommand(new HeldStop(), () -> { }))
                .execute(arguments));
    }

    @Override
    public Connection open(ExportOptions options, DeviceMaker maker) throws IOException {
        return new Held(sockets.open(options, maker));
    }

    /**
     * A connection whose end comes while commands are held.
     *
     * @param connection the real one
     */
    private record Held(Connection connection) implements Connection {
        @Override
        public VirtioScsi device() {
            return connection.device();
        }

        @Override
        public boolean isConnected() {
            return connection.isConnected();
        }

        @Override
        public CompletionStage<Void> closeAsync() {
            AioContext main = device().main();
            if (!(device().bus().find(0, 0) instanceof ScsiDisk disk)) {
                throw new IllegalStateException("no disk");
            }
            BlockBackend backend = disk.backend();
            return DrainedSection.beginAsync(main, backend).thenCompose(section ->
                    CompletableFuture.runAsync(() -> awaitGuest(backend)).thenCompose(held -> {
                        CompletableFuture<Void> closed =
                                connection.closeAsync().toCompletableFuture();
                        return CompletableFuture.runAsync(() -> awaitServer(closed))
                                .thenCompose(waiting -> awaitDevice())
                                .thenCompose(settled -> section.closeAsync())
                                .thenCompose(ended -> closed);
                    }));
        }

        private static void awaitGuest(BlockBackend backend) {
            until(() -> backend.gate().parkedCount() == HELD);
            System.out.println(ALL_HELD);
            try {
                if (System.in.read() < 0) {
                    throw new IllegalStateException("nobody says go on");
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /**
         * Until the server, waiting for rings that it stops, has looked whether the guest is still
         * there, and waits on. Or until all is over, if it does not do so.
         */
        private static void awaitServer(CompletableFuture<Void> closed) {
            AtomicReference<Thread> found = new AtomicReference<>();
            until(() -> {
                found.set(stoppingRings());
                return found.get() != null || closed.isDone();
            });
            Thread server = found.get();
            if (server != null) {
                until(() -> closed.isDone() || !isPausing(server));
                until(() -> closed.isDone() || isPausing(server));
            }
        }

        /** The thread that does so, in a pause of its waiting, or null. */
        private static @Nullable Thread stoppingRings() {
            return Thread.getAllStackTraces().entrySet().stream()
                    .filter(each -> isPausing(each.getKey()) && Arrays.stream(each.getValue())
                            .anyMatch(frame -> frame.getMethodName().equals("stopAll")))
                    .map(Map.Entry::getKey).findAny().orElse(null);
        }

        private static boolean isPausing(Thread thread) {
            return thread.getState() == Thread.State.TIMED_WAITING;
        }

        /** What the server has told the device by now has begun: no queue has this number. */
        private CompletionStage<Void> awaitDevice() {
            return device().stopQueue(-1).handle((none, expected) -> null);
        }

        private static void until(BooleanSupplier isSo) {
            Spin.until(isSo, () -> "threads: " + Thread.getAllStackTraces());
        }
    }
}
