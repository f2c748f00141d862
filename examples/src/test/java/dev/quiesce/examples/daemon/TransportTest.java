package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.examples.daemon.option.OptionText;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the main context may count on, whichever way guests come, and on which threads. */
class TransportTest {
    private static final long LIMIT_SECONDS = 60;
    private static final int QUEUES = 3;

    @TempDir
    private Path directory;
    private final IoThread thread = IoThread.start(new IoThreadConfig("main", Thread::new,
            LoopSeams.system().withWorkers(Workers.inline()), true));
    private final AioContext main = thread.context();

    enum Way {
        SOCKETS,
        MOCKS;

        Transport newTransport() {
            return this == SOCKETS ? new VhostUserTransport() : new MockGuests();
        }
    }

    @AfterEach
    void close() {
        thread.close();
    }

    @ParameterizedTest
    @EnumSource
    void shouldCloseOnWhateverThreadItIsAskedTo(Way way) throws Exception {
        Transport.Connection connection = onMain(() -> open(way));
        try (AutoCloseable guest = begin(way, connection)) {
            CompletionStage<Void> closed = connection.closeAsync();
            CompletionStage<Void> again = connection.closeAsync();
            await(closed);
            await(again);

            assertThat(connection.isConnected()).isFalse();
            assertThat(connection.device().status()).isZero();
        }
        await(connection.device().closeAsync());
    }

    @ParameterizedTest
    @EnumSource
    void shouldCloseInTheMainContextWithoutHoldingItUp(Way way) throws Exception {
        Transport.Connection connection = onMain(() -> open(way));
        try (AutoCloseable guest = begin(way, connection)) {
            CompletionStage<Void> closed = onMain(connection::closeAsync);
            await(closed.thenRunAsync(main::checkHome, main));

            assertThat(connection.isConnected()).isFalse();
            assertThat(connection.device().status()).isZero();
        }
        await(connection.device().closeAsync());
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToOpenOutsideOfTheMainContext(Way way) {
        assertThatIllegalStateException().isThrownBy(() -> open(way))
                .withMessageContaining("context main").withMessageContaining("AIO-62");

        assertThat(directory).isEmptyDirectory();
    }

    private Transport.Connection open(Way way) throws IOException {
        ExportOptions options = ExportOptions.read(OptionText.parse(
                "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=" + socket(),
                "type", ExportOptions.REPEATABLE));
        ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
        return way.newTransport().open(options, (memory, interrupt) -> VirtioScsi.create(
                VirtioScsiConfig.of("exp0", 1), bus, memory, interrupt));
    }

    /** A guest whose driver has begun. */
    private AutoCloseable begin(Way way, Transport.Connection connection) throws Exception {
        if (way == Way.MOCKS) {
            await(connection.device().writeStatus(1));
            return () -> { };
        }
        VhostUserGuest guest = new VhostUserGuest(socket(), directory.resolve("ram"), QUEUES);
        Spin.until(() -> connection.device().status() != 0, () -> "the driver has not begun");
        return guest;
    }

    private Path socket() {
        return directory.resolve("socket");
    }

    private <T> T onMain(Callable<T> action) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        main.execute(() -> {
            try {
                done.complete(action.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return await(done);
    }

    private static <T> T await(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
