package dev.quiesce.examples.daemon.monitor;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quiesce.examples.daemon.option.JsonText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client's connection. Confined to the monitor's thread. */
final class Client {
    /*
     * One command at a time, in the order in which they came: while one is under way, lines stay in
     * the buffer, and when that is full, in the socket. Reading goes on beside it, so that a
     * client's end is noticed. A client that has ended (or only its sending half, as a pipe does)
     * still gets its answers; then the connection is closed. A client that does not take what it is
     * sent is dropped when OUT_BYTES_MAX have gathered behind the message that is on its way: an
     * answer may be longer than that, and it has to fit.
     */
    private static final Logger LOG = LoggerFactory.getLogger(Client.class);
    private static final int OUT_BYTES_MAX = 1 << 20;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final Dialogue dialogue;
    private final Executor monitor;
    private final LineBuffer in = new LineBuffer();
    private final Deque<ByteBuffer> out = new ArrayDeque<>();
    private long outBytes;
    private boolean busy;
    private boolean ended;

    Client(SocketChannel channel, SelectionKey key, Dialogue dialogue, Executor monitor) {
        this.channel = channel;
        this.key = key;
        this.dialogue = dialogue;
        this.monitor = monitor;
    }

    /** The socket can be read or written. */
    void onReady() throws IOException {
        if (key.isReadable()) {
            ended |= in.readFrom(channel) < 0;
            takeLines();
        }
        if (key.isValid() && key.isWritable()) {
            write();
        }
        settle();
    }

    void send(JsonNode message) throws IOException {
        byte[] bytes = (JsonText.write(message) + "\n").getBytes(UTF_8);
        write();
        ByteBuffer onItsWay = out.peek();
        if (onItsWay != null && outBytes - onItsWay.remaining() > OUT_BYTES_MAX) {
            LOG.warn("a monitor client does not take what it is sent: dropped");
            channel.close();
            return;
        }
        out.add(ByteBuffer.wrap(bytes));
        outBytes += bytes.length;
        write();
    }

    void sendEvent(JsonNode event) throws IOException {
        if (dialogue.isNegotiated()) {
            send(event);
        }
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    boolean hasOutput() {
        return isOpen() && outBytes > 0;
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing a monitor client failed", e);
        }
    }

    private void takeLines() {
        while (!busy) {
            String line = in.next();
            if (line == null && ended) {
                line = in.rest(); // The last line may lack its end.
            }
            if (line == null) {
                return;
            }
            if (!line.isBlank()) {
                busy = true;
                dialogue.answer(line).whenComplete((answer, failure) ->
                        monitor.execute(() -> onAnswer(answer)));
            }
        }
    }

    private void onAnswer(JsonNode answer) {
        busy = false;
        if (!isOpen()) {
            return;
        }
        try {
            send(answer);
            takeLines();
            settle();
        } catch (IOException e) {
            LOG.debug("a monitor client has gone", e);
            close();
        } catch (RuntimeException e) {
            LOG.error("a monitor client is dropped: its answer cannot be sent", e);
            close();
        }
    }

    private void write() throws IOException {
        for (ByteBuffer next = out.peek(); next != null; next = out.peek()) {
            outBytes -= channel.write(next);
            if (next.hasRemaining()) {
                return;
            }
            out.remove();
        }
    }

    /** What to wait for next; closes when there is nothing. */
    private void settle() throws IOException {
        if (!key.isValid()) {
            return;
        }
        if (ended && !busy && out.isEmpty()) {
            channel.close();
            return;
        }
        key.interestOps((!ended && in.hasRoom() ? SelectionKey.OP_READ : 0)
                | (out.isEmpty() ? 0 : SelectionKey.OP_WRITE));
    }
}
