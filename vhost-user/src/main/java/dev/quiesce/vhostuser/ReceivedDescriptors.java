package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that came with one message. Whoever takes one owns it; closing this closes the
 * rest (VHU-3). Session thread.
 */
final class ReceivedDescriptors implements AutoCloseable {
    /** Most that one message may carry (VHU-1). */
    static final int MAX = 8;

    private final Deque<FileDescriptor> left = new ArrayDeque<>();

    void add(FileDescriptor[] more) {
        for (FileDescriptor descriptor : more) {
            left.add(descriptor);
        }
    }

    int count() {
        return left.size();
    }

    /** The next one, which is then the caller's, or null. */
    @Nullable FileDescriptor take() {
        return left.poll();
    }

    @Override
    public void close() {
        for (FileDescriptor each = take(); each != null; each = take()) {
            close(each);
        }
    }

    /**
     * Closes a descriptor that is open, whatever it is. Session thread, which alone may also make
     * the library close the socket that it came over: both take locks of the library, in different
     * orders.
     *
     * @return false if the host complained; it has given the number back all the same
     */
    static boolean close(FileDescriptor descriptor) {
        try {
            // The only public way to close a bare descriptor: a stream over it, closed at once.
            new FileInputStream(descriptor).close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
