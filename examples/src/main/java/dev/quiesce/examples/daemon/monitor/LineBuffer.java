package dev.quiesce.examples.daemon.monitor;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what a client sends into lines. A line that does not fit is dropped as a whole, and shows up
 * as {@link #OVERLONG}; one that is no UTF-8, as {@link #NO_TEXT}. Confined to the monitor's
 * thread.
 */
final class LineBuffer {
    /** Most bytes of a line. */
    static final int LINE_BYTES_MAX = 64 * 1024;

    /** Stands for a line that was too long; compared by identity. */
    static final String OVERLONG = new String("overlong");

    /** Stands for a line that is not encoded as it must be; compared by identity. */
    static final String NO_TEXT = new String("no text");

    private final CharsetDecoder decoder = UTF_8.newDecoder();
    private final ByteBuffer bytes = ByteBuffer.allocate(LINE_BYTES_MAX + 1);

    /** No line ends before this. */
    private int scanned;
    private boolean dropping;

    /** Takes what is there; -1 at the end, 0 if nothing is there, or no room. */
    int readFrom(ReadableByteChannel channel) throws IOException {
        return bytes.hasRemaining() ? channel.read(bytes) : 0;
    }

    boolean hasRoom() {
        return bytes.hasRemaining();
    }

    /** The next line, without its end, or null if none is complete. */
    @Nullable String next() {
        while (scanned < bytes.position()) {
            if (bytes.get(scanned++) == '\n') {
                String line = take(scanned - 1);
                bytes.flip().position(scanned);
                bytes.compact();
                scanned = 0;
                return line;
            }
        }
        if (!bytes.hasRemaining()) {
            dropping = true;
            bytes.clear();
            scanned = 0;
        }
        return null;
    }

    /** What stands behind the last line's end, or null if nothing does; for a client that ended. */
    @Nullable String rest() {
        if (bytes.position() == 0 && !dropping) {
            return null;
        }
        String line = take(bytes.position());
        bytes.clear();
        scanned = 0;
        return line;
    }

    private String take(int length) {
        if (dropping) {
            dropping = false;
            return OVERLONG;
        }
        try {
            return decoder.decode(ByteBuffer.wrap(bytes.array(), 0, length)).toString();
        } catch (CharacterCodingException e) {
            return NO_TEXT;
        }
    }
}
