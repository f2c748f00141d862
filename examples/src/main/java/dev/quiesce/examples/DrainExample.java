package dev.quiesce.examples;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BackendListener;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.Pin;
import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.graph.BlockGraph;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Both sides of a drained section: a device that sends a block to its disk from time to time, and
 * control, which copies the image meanwhile.
 *
 * <pre>{@code
 * java -cp examples/target/quiesce.jar dev.quiesce.examples.DrainExample disk.img copy.img
 * }</pre>
 */
public final class DrainExample {
    private static final int BLOCK_BYTES = 512;
    private static final long PERIOD_NANOS = 100_000;

    private final AioContext main;
    private final BlockBackend backend;
    private final Port port;
    private final Path image;
    private final Path target;
    private final LoopTimer timer;
    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private final IoVector payload = new IoVector();
    private final BlockRequest request =
            new BlockRequest((done, status) -> written(status));

    private long next; // When to send again, on the clock of main.
    private boolean busyInside; // Whether a block is on its way to be sent.
    private long blocks;
    private boolean worked;
    private boolean off;
    private @Nullable BlockStatus failure;

    private DrainExample(AioContext main, BlockBackend backend, Path image, Path target) {
        this.main = main;
        this.backend = backend;
        this.image = image;
        this.target = target;
        this.port = backend.port(main);
        this.timer = new LoopTimer(main, "device", this::tick);
        payload.add(block, 0, BLOCK_BYTES);
    }

    /**
     * Has a device number the first block of an image again and again, and copies the image when it
     * has begun.
     *
     * @param image at least one block long
     * @param target where the copy goes, a file that does not exist
     * @return how many blocks were written
     * @throws IOException if the image cannot be opened
     */
    static long run(Path image, Path target) throws IOException {
        AioContext main = new AioContext("main", LoopSeams.system());
        try (var lease = main.acquire();
                BlockGraph graph = new BlockGraph(main)) {
            FileDriver file = FileDriver.open(FileConfig.writable(image));
            try (BlockBackend backend = BlockBackend.create(
                    graph, BackendConfig.named("disk0"), graph.add("image", file), main)) {
                return new DrainExample(main, backend, image, target).run();
            }
        }
    }

    private long run() {
        Device device = new Device();
        backend.addListener(device);
        timer.armAt(main.clock().nanoTime());
        try {
            pollUntil(() -> blocks > 0);
            copyImage();
            long before = blocks;
            pollUntil(() -> blocks > before); // The device goes on.
            stopForAMoment();
            workWhereTheDiskIs();
            pollUntil(() -> worked);
        } finally {
            backend.removeListener(device);
            switchOff();
        }
        return blocks;
    }

    private void copyImage() {
        CompletionStage<Void> copied = DrainedSection.beginAsync(main, backend)
                .thenAccept(section -> {
                    try (section) {
                        copy(image);    // in main; nothing of the disk runs
                    }
                });
        EmbeddingExample.await(main, copied);
    }

    private void stopForAMoment() {
        try (DrainedSection section = DrainedSection.begin(backend)) {
            // nothing runs on the backend here; requests that arrive are parked
        }                                       // parked requests are replayed by posted tasks
    }

    private void workWhereTheDiskIs() {
        Pin pin = backend.pin();
        if (pin == null) {
            later();                // a section is open, or there is no medium
        } else {
            pin.context().execute(() -> {       // throws if that loop has ended: then close the pin
                try (pin) {
                    work();         // the context cannot change before this ends
                }
            });
        }
    }

    private void later() {
        main.execute(this::workWhereTheDiskIs);
    }

    private void work() {
        worked = backend.context().isHome();
    }

    private void copy(Path from) {
        try {
            Files.copy(from, target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void pollUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            main.poll(Long.MAX_VALUE);
            if (failure != null) {
                throw new IllegalStateException("block " + (blocks + 1) + ": " + failure);
            }
        }
    }

    // ---- the device, which lives in main

    private void tick() {
        busyInside = true;
        main.execute(this::send);
    }

    private void send() {
        if (request.isIdle()) { // The one before may be parked.
            block.putLong(0, blocks + 1);
            request.prepare(Operation.WRITE, 0, BLOCK_BYTES, payload, 0);
            port.submit(request);       // parks by itself; nothing else to do
        }
        busyInside = false;
        main.wake();
    }

    private void written(BlockStatus status) {
        if (!status.isOk()) {
            failure = status;
            return;
        }
        blocks++;
        next = main.clock().nanoTime() + PERIOD_NANOS;
        if (!off && !backend.isQuiesced()) {
            timer.armAt(next);
        }
    }

    private void switchOff() {
        off = true;
        timer.cancel();
        while (busyInside || !request.isIdle()) {
            main.poll(Long.MAX_VALUE);
        }
    }

    /** What the device does about sections of its disk. */
    final class Device implements BackendListener {
        @Override
        public void drainedBegin() {
            timer.cancel();         // stop the source; do not wait
        }

        @Override
        public boolean drainedPoll() {
            return busyInside;      // may still submit; whoever makes it false wakes main
        }

        @Override
        public void drainedEnd() {
            timer.armAt(next);      // go on; look once at what was missed
        }
    }

    /**
     * Numbers and copies an image.
     *
     * @param arguments the image, and where its copy goes
     * @throws IOException if the image cannot be opened
     */
    public static void main(String[] arguments) throws IOException {
        Usage.check(DrainExample.class, arguments, "IMAGE", "COPY");
        long blocks = run(Path.of(arguments[0]), Path.of(arguments[1]));
        System.out.println(blocks + " blocks written, a copy taken meanwhile");
    }
}
