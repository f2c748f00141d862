package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFSocket;
import org.newsclub.net.unix.AFSocketChannel;
import org.newsclub.net.unix.AFSocketImpl;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.FileDescriptorCast;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A descriptor that a front end handed over for notifications: an eventfd, a Unix socket, a pipe.
 * Made non-blocking, so that neither reading nor writing it waits; a front end that undoes this can
 * be overcome by {@link #cut}. Can be waited for with others. Owns the descriptor. Used by one
 * thread at a time, and closed by the one that made it.
 */
final class Pollable implements AutoCloseable {
    /*
     * The JDK waits for its own channels only, and eventfds of QEMU are non-blocking, so that a
     * plain read of one fails at once instead of waiting. The socket library's selector, however,
     * is poll(2) over whatever descriptor is inside its channels, and its socket classes may be
     * extended. So the descriptor travels as a "socket" that is never used as one: it is only
     * registered, and switched to non-blocking.
     *
     * Whether a descriptor blocks is a property of what the front end has, too: it can undo ours,
     * and fill an eventfd's counter, and then write(2) waits for ever. There is no call by which
     * Java, or Linux, writes to an eventfd and surely does not wait, whatever was looked at
     * before. Hence reading and writing go through a FileChannel, which another thread can close:
     * the JDK then signals the thread in the system call until that has returned. The channel has
     * a duplicate of the descriptor, so that closing it costs nothing: whoever was cut off makes
     * the descriptor non-blocking once more and tries again with a new one. Three times in a row
     * are nobody's accident.
     *
     * The same goes for a thread that is interrupted within the call, by which the JDK closes the
     * channel: an interrupt must not cost a guest its interrupts.
     *
     * Other kinds are refused. A file of a file system may keep writers waiting where no signal
     * reaches them, even for as long as it takes to close it; a socket of a network lingers, if it
     * is told to, when it is closed.
     */
    private static final Logger LOG = LoggerFactory.getLogger(Pollable.class);
    private static final int TRIES_MAX = 3;

    private final Thread maker = Thread.currentThread();
    private final FileDescriptor descriptor;
    private final Disguise disguise;
    private final Runnable meanwhile;
    private final ByteBuffer count =
            ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());

    /** Made by the thread that uses this, closed by any. */
    private volatile @Nullable FileChannel channel;

    /** The using thread only. */
    private boolean stuck;

    private Pollable(FileDescriptor descriptor, Disguise disguise, Runnable meanwhile) {
        this.descriptor = descriptor;
        this.disguise = disguise;
        this.meanwhile = meanwhile;
    }

    /**
     * Takes over a descriptor; if that fails it is closed.
     *
     * @throws Violation if it is of no kind that is meant for notifications
     */
    static Pollable of(FileDescriptor descriptor) throws IOException, Violation {
        return of(descriptor, () -> { });
    }

    /**
     * The same, against a front end that is as fast as can be.
     *
     * @param meanwhile what happens each time between making the descriptor non-blocking and using
     *     it, on the thread that does both: nothing, except in tests
     */
    static Pollable of(FileDescriptor descriptor, Runnable meanwhile)
            throws IOException, Violation {
        try {
            checkKind(descriptor);
            Disguise disguise = new Disguise(descriptor);
            disguise.getChannel().configureBlocking(false);
            meanwhile.run();
            return new Pollable(descriptor, disguise, meanwhile);
        } catch (IOException | RuntimeException | Violation e) {
            ReceivedDescriptors.close(descriptor);
            throw e;
        }
    }

    /**
     * Makes ready for {@link #signal} or for {@link #drain}: what the host is short of shows here,
     * and not when a guest waits for the signal. If that fails it is closed.
     */
    Pollable readyFor(boolean signals) throws IOException {
        try {
            FileChannel unused = open(signals);
            return this;
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** Makes a selector wait for this to become readable. The selector's thread. */
    SelectionKey register(Selector selector, Object attachment) throws ClosedChannelException {
        return disguise.getChannel().register(selector, SelectionKey.OP_READ, attachment);
    }

    /**
     * Writes the eight bytes that say "look". Waits only if the front end has seen to that, and
     * then until {@link #cut}: a descriptor that is full has been heard already, or nobody listens;
     * one whose other end is gone is nobody's loss either.
     *
     * @return whether they were taken
     */
    boolean signal() {
        boolean interrupted = false;
        int cuts = 0;
        try {
            for (int tries = 0; tries < TRIES_MAX; tries++) {
                interrupted |= Thread.interrupted(); // a pending one would close the channel
                try {
                    count.clear().putLong(0, 1);
                    return open(true).write(count) == Long.BYTES;
                } catch (ClosedByInterruptException e) {
                    interrupted = true;
                } catch (ClosedChannelException e) {
                    cuts++;
                    makeNonBlockingAgain();
                }
            }
        } catch (IOException notTaken) {
            return false;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        stuck = cuts == TRIES_MAX;
        return false;
    }

    /** Whether the front end makes writers wait, again and again. The thread that signals. */
    boolean isStuck() {
        return stuck;
    }

    /**
     * Takes what has been signalled.
     *
     * @return how many bytes: 0 if somebody else took it, -1 at the end
     * @throws ClosedChannelException if it waited, and was {@link #cut} off
     */
    int drain() throws IOException {
        count.clear();
        return open(false).read(count);
    }

    /** Lets go whichever thread waits in {@link #signal} or {@link #drain}. Any thread. */
    void cut() {
        FileChannel open = channel;
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (IOException e) {
            LOG.debug("the host complained, and has taken a descriptor back all the same", e);
        }
    }

    /** False if it was closed. */
    boolean isOpen() {
        return descriptor.valid();
    }

    /** Nobody uses it any more. The thread that made it, see {@link ReceivedDescriptors#close}. */
    @Override
    public void close() {
        assert Thread.currentThread() == maker
                : "closed by " + Thread.currentThread() + ", made by " + maker;
        cut();
        if (descriptor.valid()) {
            // Not through the disguise: that would shut a socket down for its other owners too.
            ReceivedDescriptors.close(descriptor);
        }
    }

    private FileChannel open(boolean forWriting) throws IOException {
        FileChannel open = channel;
        if (open == null || !open.isOpen()) {
            FileDescriptor own = FileDescriptorCast.duplicating(descriptor).getFileDescriptor();
            open = forWriting
                    ? new FileOutputStream(own).getChannel()
                    : new FileInputStream(own).getChannel();
            channel = open;
        }
        return open;
    }

    /** There and back, because the library remembers what it has set. */
    private void makeNonBlockingAgain() throws IOException {
        disguise.getChannel().configureBlocking(true);
        disguise.getChannel().configureBlocking(false);
        meanwhile.run();
    }

    private static void checkKind(FileDescriptor descriptor) throws IOException, Violation {
        Path name = PassedFile.nameOf(descriptor);
        String target = Files.readSymbolicLink(name).toString();
        boolean known = target.equals("anon_inode:[eventfd]")
                || (target.startsWith("socket:[") && isOfThisHost(descriptor))
                || PassedFile.kindOf(name).equals(PassedFile.PIPE);
        if (!known) {
            String kind = target.startsWith("socket:[")
                    ? "a socket of a network" : PassedFile.kindOf(name);
            throw Violation.ofRequest("neither an eventfd nor a Unix socket nor a pipe, but "
                    + kind);
        }
    }

    private static boolean isOfThisHost(FileDescriptor socket) throws IOException {
        FileDescriptorCast cast = FileDescriptorCast.using(socket);
        return cast.isAvailable(AFUNIXSocket.class)
                || cast.isAvailable(AFUNIXDatagramSocket.class);
    }

    /** What the selector takes for a socket. */
    static final class Disguise extends AFSocket<AFUNIXSocketAddress> {
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
