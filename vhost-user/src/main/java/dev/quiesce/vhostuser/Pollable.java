package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import org.newsclub.net.unix.AFSocket;
import org.newsclub.net.unix.AFSocketChannel;
import org.newsclub.net.unix.AFSocketImpl;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * A descriptor of any kind that a front end handed over for notifications: an eventfd, a socket, a
 * pipe. Made non-blocking, so that neither reading nor writing it ever waits; can be waited for
 * with others. Owns the descriptor. Used by one thread at a time.
 */
final class Pollable implements AutoCloseable {
    /*
     * The JDK waits for its own channels only, and eventfds of QEMU are non-blocking, so that a
     * plain read of one fails at once instead of waiting. The socket library's selector, however,
     * is poll(2) over whatever descriptor is inside its channels, and its socket classes may be
     * extended. So the descriptor travels as a "socket" that is never used as one: it is only
     * registered, and switched to non-blocking. Reading and writing go through plain streams,
     * which are read(2) and write(2).
     */
    private static final byte[] ONE = one();

    private final FileDescriptor descriptor;
    private final Disguise disguise;
    private final FileInputStream in;
    private final FileOutputStream out;
    private final byte[] counter = new byte[Long.BYTES];

    private Pollable(FileDescriptor descriptor, Disguise disguise) {
        this.descriptor = descriptor;
        this.disguise = disguise;
        this.in = new FileInputStream(descriptor);
        this.out = new FileOutputStream(descriptor);
    }

    /** Takes over a descriptor; if that fails it is closed. */
    static Pollable of(FileDescriptor descriptor) throws IOException {
        try {
            Disguise disguise = new Disguise(descriptor);
            disguise.getChannel().configureBlocking(false);
            return new Pollable(descriptor, disguise);
        } catch (IOException | RuntimeException e) {
            ReceivedDescriptors.close(descriptor);
            throw e;
        }
    }

    /** Makes a selector wait for this to become readable. The selector's thread. */
    SelectionKey register(Selector selector, Object attachment) throws ClosedChannelException {
        return disguise.getChannel().register(selector, SelectionKey.OP_READ, attachment);
    }

    /**
     * Writes the eight bytes that say "look". Never waits: a descriptor that is full has been
     * heard already, or nobody listens; one whose other end is gone is nobody's loss either.
     *
     * @return whether they were taken
     */
    boolean signal() {
        try {
            out.write(ONE);
            return true;
        } catch (IOException notTaken) {
            return false;
        }
    }

    /** Takes what has been signalled; what there was not is an exception, the end is -1. */
    int drain() throws IOException {
        return in.read(counter);
    }

    /** False if it was closed, here or by a selector that found it unusable. */
    boolean isOpen() {
        return descriptor.valid();
    }

    @Override
    public void close() {
        if (descriptor.valid()) {
            // Not through the disguise: that would shut a socket down for its other owners too.
            ReceivedDescriptors.close(descriptor);
        }
    }

    private static byte[] one() {
        byte[] bytes = new byte[Long.BYTES];
        java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.nativeOrder()).putLong(1);
        return bytes;
    }

    /** What the selector takes for a socket. */
    private static final class Disguise extends AFSocket<AFUNIXSocketAddress> {
        Disguise(FileDescriptor descriptor) throws IOException {
            super(new Body(descriptor), null);
        }

        @Override
        protected AFSocketChannel<AFUNIXSocketAddress> newChannel() {
            return new Channel(this);
        }
    }

    private static final class Body extends AFSocketImpl<AFUNIXSocketAddress> {
        Body(FileDescriptor descriptor) {
            super(AFUNIXSocketAddress.addressFamily(), descriptor);
        }
    }

    private static final class Channel extends AFSocketChannel<AFUNIXSocketAddress> {
        Channel(Disguise disguise) {
            super(disguise, AFUNIXSelectorProvider.getInstance());
        }
    }
}
