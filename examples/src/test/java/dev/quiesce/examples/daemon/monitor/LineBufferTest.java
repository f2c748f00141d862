package dev.quiesce.examples.daemon.monitor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lines of a client, however they arrive. */
class LineBufferTest {
    private final LineBuffer buffer = new LineBuffer();

    @Test
    void shouldCutLinesThatArriveInPieces() throws IOException {
        assertThat(feed("{\"a\"")).isEmpty();
        assertThat(feed(":1}\r\nse")).containsExactly("{\"a\":1}\r");
        assertThat(feed("cond\n\nfourth\n")).containsExactly("second", "", "fourth");
    }

    @Test
    void shouldDropALineThatIsTooLongAsAWhole() throws IOException {
        String line = "x".repeat(3 * LineBuffer.LINE_BYTES_MAX);

        List<String> lines = feed(line + "\nshort\n");

        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).isSameAs(LineBuffer.OVERLONG);
        assertThat(lines.get(1)).isEqualTo("short");
    }

    @Test
    void shouldMarkALineThatIsNoText() throws IOException {
        ReadableByteChannel channel = Channels.newChannel(
                new ByteArrayInputStream(new byte[] {'a', (byte) 0xC3, '\n', 'b', '\n'}));
        assertThat(buffer.readFrom(channel)).isPositive();

        assertThat(buffer.next()).isSameAs(LineBuffer.NO_TEXT);
        assertThat(buffer.next()).isEqualTo("b");
    }

    @Test
    void shouldGiveWhatIsLeftAtTheEnd() throws IOException {
        assertThat(feed("first\nsecond")).containsExactly("first");

        assertThat(buffer.rest()).isEqualTo("second");
        assertThat(buffer.rest()).isNull();
        assertThat(feed("x".repeat(2 * LineBuffer.LINE_BYTES_MAX))).isEmpty();
        assertThat(buffer.rest()).isSameAs(LineBuffer.OVERLONG);
        assertThat(buffer.rest()).isNull();
    }

    @Test
    void shouldKeepTheLongestLine() throws IOException {
        String line = "x".repeat(LineBuffer.LINE_BYTES_MAX);

        assertThat(feed(line + "\n")).containsExactly(line);
    }

    @Test
    void shouldTakeNothingWhileItIsFull() throws IOException {
        byte[] lines = "0123456\n".repeat(LineBuffer.LINE_BYTES_MAX / 8 + 1).getBytes(UTF_8);
        ReadableByteChannel channel = Channels.newChannel(new ByteArrayInputStream(lines));
        while (buffer.hasRoom()) {
            assertThat(buffer.readFrom(channel)).isPositive();
        }

        assertThat(buffer.readFrom(channel)).isZero();
        assertThat(buffer.next()).isEqualTo("0123456");
        assertThat(buffer.hasRoom()).isTrue();
    }

    private List<String> feed(String text) throws IOException {
        ReadableByteChannel channel =
                Channels.newChannel(new ByteArrayInputStream(text.getBytes(UTF_8)));
        List<String> lines = new ArrayList<>();
        while (buffer.readFrom(channel) > 0) {
            for (String line = buffer.next(); line != null; line = buffer.next()) {
                lines.add(line);
            }
        }
        return lines;
    }
}
