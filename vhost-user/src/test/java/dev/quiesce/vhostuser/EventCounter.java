package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.FileDescriptorCast;

/**
 * An eventfd, as a front end has one: it can fill the counter, and decide that whoever meets a full
 * or an empty one waits. Taken from a selector of the JDK, which is where this JVM has them.
 */
final class EventCounter implements AutoCloseable {
    private static final long FULL = -2; // 2^64 - 2

    private final FileDescriptor descriptor;
    private final FileOutputStream out;
    private final FileInputStream in;
    private final Pollable.Disguise disguise; // Kept: it closes what it is over when collected.

    private EventCounter(FileDescriptor descriptor) throws IOException {
        this.descriptor = descriptor;
        this.disguise = new Pollable.Disguise(descriptor);
        this.out = new FileOutputStream(descriptor);
        this.in = new FileInputStream(descriptor);
    }

    /** Empty, and non-blocking as QEMU's are. */
    static synchronized EventCounter open() throws IOException {
        EventCounter counter = null;
        while (counter == null) {
            Set<Path> before = eventDescriptors();
            try (Selector selector = Selector.open()) {
                Set<Path> made = eventDescriptors();
                made.removeAll(before);
                if (made.size() == 1) { // or others opened or closed some at the same time
                    counter = ofSelector(selector, made.iterator().next());
                }
            }
        }
        return counter;
    }

    /** Null if it is another selector's, or not there any more: only ours has been woken up. */
    private static @Nullable EventCounter ofSelector(Selector selector, Path name)
            throws IOException {
        int number = Integer.parseInt(name.getFileName().toString());
        EventCounter counter = null;
        try {
            FileDescriptor theirs = FileDescriptorCast.unsafeUsing(number).getFileDescriptor();
            counter = new EventCounter(
                    FileDescriptorCast.duplicating(theirs).getFileDescriptor());
            selector.wakeup();
            counter.take();
            return counter;
        } catch (IOException notOurs) {
            if (counter != null) {
                counter.close();
            }
            return null;
        }
    }

    FileDescriptor descriptor() {
        return descriptor;
    }

    void fill() throws IOException {
        add(1);
        take();
        add(FULL);
    }

    void add(long count) throws IOException {
        out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder())
                .putLong(count).array());
    }

    /** Takes the whole count; what happens if there is none is up to how this is set. */
    long take() throws IOException {
        byte[] count = new byte[Long.BYTES];
        if (in.read(count) != count.length) {
            throw new IOException("half a count");
        }
        return ByteBuffer.wrap(count).order(ByteOrder.nativeOrder()).getLong();
    }

    /** Undoes whatever somebody did to never wait for this. */
    void makeBlocking() throws IOException {
        disguise.getChannel().configureBlocking(false);
        disguise.getChannel().configureBlocking(true);
    }

    private static Set<Path> eventDescriptors() throws IOException {
        Set<Path> found = new HashSet<>();
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : open.toList()) {
                if (KernelCounts.target(each).equals("anon_inode:[eventfd]")) {
                    found.add(each);
                }
            }
        }
        return found;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
