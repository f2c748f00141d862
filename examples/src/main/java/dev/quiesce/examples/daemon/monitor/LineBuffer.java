package dev.quiesce.examples.daemon.monitor;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what a client sends into lines. A line that does not fit is dropped as a whole, and shows up
 * as {@link #OVERLONG}. Confined to the monitor's thread.
 */
final class LineBuffer {
    /** Most bytes of a line. */
    static final int LINE_BYTES_MAX = 64 * 1024;

    /** Stands for a line that was too long; compared by identity. */
    static final String OVERLONG = new String("overlong");

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
                String line = dropping
                        ? OVERLONG : new String(bytes.array(), 0, scanned - 1, UTF_8);
                dropping = false;
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
}
