package dev.quiesce.examples.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A client of the monitor, as a person with a terminal would be. */
final class MonitorClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private final SocketChannel channel;
    private final BufferedReader reader;
    private final Deque<JsonNode> events = new ArrayDeque<>();
    final JsonNode greeting;

    private MonitorClient(SocketChannel channel) throws IOException {
        this.channel = channel;
        this.reader = new BufferedReader(Channels.newReader(channel, UTF_8));
        this.greeting = JSON.readTree(reader.readLine());
    }

    /** Connected, not negotiated. */
    static MonitorClient connect(Path path) throws IOException {
        return new MonitorClient(SocketChannel.open(UnixDomainSocketAddress.of(path)));
    }

    static MonitorClient open(Path path) throws IOException {
        return connect(path).negotiated();
    }

    /** To a daemon that is starting. */
    static MonitorClient openWhenItListens(Path path) throws IOException {
        return connectWhenItListens(path).negotiated();
    }

    private MonitorClient negotiated() {
        assertThat(ask("{'execute':'qmp_capabilities'}")).isEqualTo(json("{'return':{}}"));
        return this;
    }

    /** To a daemon that is starting, in a directory without old sockets; not negotiated. */
    static MonitorClient connectWhenItListens(Path path) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(100);
        awaitCreation(path, deadline);
        while (true) {
            try {
                return connect(path);
            } catch (SocketException bound) { // It is about to listen.
                assertThat(System.nanoTime()).as("%s", bound).isLessThan(deadline);
                Thread.onSpinWait();
            }
        }
    }

    private static void awaitCreation(Path path, long deadlineNanos) throws IOException {
        try (WatchService changes = path.getFileSystem().newWatchService()) {
            path.getParent().register(changes, StandardWatchEventKinds.ENTRY_CREATE);
            while (!Files.exists(path)) {
                WatchKey change =
                        changes.poll(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
                assertThat(change).as("%s was made in time", path).isNotNull();
                change.pollEvents();
                change.reset();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Single quotes stand for double ones. */
    static JsonNode json(String text) {
        try {
            return JSON.readTree(text.replace('\'', '"'));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void send(String line) {
        sendRaw(line.replace('\'', '"') + "\n");
    }

    void sendRaw(String text) {
        sendRaw(text.getBytes(UTF_8));
    }

    void sendRaw(byte[] content) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next answer; events on the way are kept. */
    JsonNode answer() {
        while (true) {
            JsonNode message = message();
            if (message == null) {
                throw new AssertionError("the monitor hung up");
            }
            if (!message.has("event")) {
                return message;
            }
            events.add(message);
        }
    }

    JsonNode ask(String line) {
        send(line);
        return answer();
    }

    /** Runs a command that must succeed. */
    JsonNode run(String command, String arguments) {
        JsonNode answer = ask("{'execute':'" + command + "','arguments':" + arguments + "}");
        assertThat(answer.has("return")).as(command + arguments + ": " + answer).isTrue();
        return answer.get("return");
    }

    JsonNode run(String command) {
        return run(command, "{}");
    }

    /** Runs a command that must fail; returns the description. */
    String fail(String command, String arguments) {
        JsonNode answer = ask("{'execute':'" + command + "','arguments':" + arguments + "}");
        assertThat(answer.has("error")).as(command + arguments + ": " + answer).isTrue();
        return answer.get("error").get("desc").textValue();
    }

    /** Waits for an event, leaving out others. */
    ObjectNode event(String name) {
        while (true) {
            JsonNode next = events.isEmpty() ? message() : events.remove();
            if (next == null) {
                throw new AssertionError("the monitor hung up before " + name);
            }
            if (next instanceof ObjectNode event && event.path("event").asText().equals(name)) {
                return event;
            }
        }
    }

    /** Whether the monitor has closed the connection; waits for it or for a message. */
    boolean isHungUp() {
        return message() == null;
    }

    void closeOutput() throws IOException {
        channel.shutdownOutput();
    }

    private @Nullable JsonNode message() {
        try {
            String line = reader.readLine();
            return line == null ? null : JSON.readTree(line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
