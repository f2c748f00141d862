package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.driver.BlockOpenException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VhostUserExampleTest {
    private static final int GET_FEATURES = 1;
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 12;
    private static final long VIRTIO_VERSION_1 = 1L << 32;

    @TempDir
    private Path directory;

    @Test
    void shouldServeFrontEndsUntilItIsToldToStop() throws Exception {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);
        Path socket = directory.resolve("s");
        CompletableFuture<Void> end = new CompletableFuture<>();
        CompletableFuture<Void> program = CompletableFuture.runAsync(
                () -> serve(image, socket, end), job -> new Thread(job, "program").start());

        long features;
        try {
            features = featuresSeenBy(socket, program);
        } finally {
            end.complete(null);
        }
        program.get(60, TimeUnit.SECONDS);

        assertThat(features & VIRTIO_VERSION_1).isNotZero();
        assertThat(socket).doesNotExist();
    }

    @Test
    void shouldEndWithOneReasonIfThereIsNoImageOrNoSocket() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);
        CompletableFuture<Void> end = new CompletableFuture<>();

        assertThatThrownBy(() -> VhostUserExample.run(
                directory.resolve("missing"), directory.resolve("s"), end))
                .isInstanceOf(BlockOpenException.class).hasMessageContaining("no such file");
        assertThatThrownBy(() -> VhostUserExample.run(
                image, directory.resolve("missing/s"), end))
                .isInstanceOf(IOException.class).hasNoSuppressedExceptions();
    }

    @Test
    void shouldEndIfThereIsNoImageThoughNobodyHasTypedAnything()
            throws IOException, InterruptedException {
        try (QuiesceProcess program = QuiesceProcess.startInstead(VhostUserExample.class,
                directory.resolve("missing").toString(), directory.resolve("s").toString())) {
            assertThat(program.exitCode()).isEqualTo(1);
            assertThat(program.err()).contains("no such file");
        }
    }

    private static void serve(Path image, Path socket, CompletableFuture<Void> end) {
        try {
            VhostUserExample.run(image, socket, end);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long featuresSeenBy(Path socket, CompletableFuture<Void> program)
            throws IOException {
        try (SocketChannel channel = connect(socket, program)) {
            ByteBuffer request = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.nativeOrder())
                    .putInt(GET_FEATURES).putInt(VERSION).putInt(0).flip();
            while (request.hasRemaining()) {
                channel.write(request);
            }
            ByteBuffer answer = ByteBuffer.allocate(HEADER_BYTES + Long.BYTES)
                    .order(ByteOrder.nativeOrder());
            while (answer.hasRemaining()) {
                assertThat(channel.read(answer)).isNotNegative();
            }
            return answer.getLong(HEADER_BYTES);
        }
    }

    /** Tries until the program listens, for as long as it runs. */
    private static SocketChannel connect(Path socket, CompletableFuture<Void> program)
            throws IOException {
        long begun = System.nanoTime();
        while (true) {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                return channel;
            } catch (IOException notYet) {
                channel.close();
                assertThat(program).as("the program").isNotDone();
                assertThat(System.nanoTime() - begun).as("nobody listens at %s", socket)
                        .isLessThan(TimeUnit.SECONDS.toNanos(60));
                Thread.onSpinWait();
            }
        }
    }
}
