package dev.quiesce.examples.daemon.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.examples.daemon.machine.Machine;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one client meets must not be another one's end. */
class MonitorServerTest {
    private static final int LARGE_CHARS = 4 << 20;
    private static final long LIMIT_SECONDS = 60;

    @TempDir private Path directory;
    private IoThread thread;
    private Machine machine;
    private MonitorServer server;

    @BeforeEach
    void listen() throws Exception {
        thread = IoThread.start(new IoThreadConfig("main", Thread::new,
                LoopSeams.system().withWorkers(Workers.inline()), true));
        AioContext main = thread.context();
        machine = onMain(() -> new Machine(main, (options, maker) -> {
            throw new IOException("no guests here");
        }, (name, data) -> { }));
        Commands commands = new Commands(machine, () -> { });
        commands.put("large", (arguments, client) -> CompletableFuture.completedStage(
                JsonNodeFactory.instance.textNode("x".repeat(LARGE_CHARS))));
        commands.put("broken", (arguments, client) -> CompletableFuture.completedStage(
                JsonNodeFactory.instance.pojoNode(new Object()))); // is no JSON
        server = MonitorServer.listen(directory.resolve("m"), main, machine, commands);
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        onMain(() -> {
            machine.close();
            return null;
        });
        thread.close();
    }

    @Test
    void shouldDropOnlyTheClientWhoseAnswerCannotBeSent() throws Exception {
        try (Client good = new Client(); Client bad = new Client()) {
            bad.send("broken");

            assertThat(bad.line()).isNull();
            good.send("query-commands");
            assertThat(good.line()).contains("return");
        }
    }

    /** The socket takes a fraction of it at once; the rest waits until the client has read. */
    @Test
    void shouldSendAnAnswerThatIsLongerThanWhatMayWait() throws Exception {
        try (Client client = new Client()) {
            client.send("large");

            assertThat(client.line()).hasSizeGreaterThan(LARGE_CHARS);
            client.send("query-commands");
            assertThat(client.line()).contains("return");
        }
    }

    private <T> T onMain(Callable<T> action) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        thread.context().execute(() -> {
            try {
                done.complete(action.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return done.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Connected and negotiated. */
    private final class Client implements AutoCloseable {
        private final SocketChannel channel =
                SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("m")));
        private final BufferedReader reader = new BufferedReader(
                Channels.newReader(channel, StandardCharsets.UTF_8));

        Client() throws IOException {
            assertThat(line()).contains("QMP");
            send(Dialogue.NEGOTIATION);
            assertThat(line()).contains("return");
        }

        void send(String command) throws IOException {
            channel.write(ByteBuffer.wrap(("{\"execute\":\"" + command + "\"}\n")
                    .getBytes(StandardCharsets.UTF_8)));
        }

        String line() throws IOException {
            return reader.readLine();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
