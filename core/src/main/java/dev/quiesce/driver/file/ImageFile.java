package dev.quiesce.driver.file;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * An open image: its bytes, how many they are known to be, and what has become durable. Any thread
 * that may block.
 */
final class ImageFile implements AutoCloseable {
    /*
     * Size. `sizeBytes` is what the file is known to hold: its size when opened, more after a write
     * beyond it, less only by resize(). So a file that ends earlier was truncated by somebody else,
     * and what was there is lost: reads of it fail, and so does every write, because a write behind
     * the hole would turn lost bytes into zeroes.
     *
     * Resizing goes on beside other transfers; those changes of the size exclude each other under
     * the monitor. To cut, `sizeBytes` is lowered before the file is, to add, raised after it; so
     * who reads `sizeBytes` and then asks the host finds no less, unless a cut came in between,
     * which a second look under the monitor tells. A write that had been let in before a cut may
     * end behind it and leave bytes there: they are cut off before the file is made longer, so
     * that what is added reads as zeroes.
     *
     * Durability. Hosts report a failed write-back once per descriptor, to one of the callers that
     * force at that time, and drop the data. Hence (1) forces go one at a time, so that the one
     * who gets the error has recorded it before the next one looks; (2) a failure is kept: it
     * fails every later flush, until the image is opened anew; (3) an interrupt can close the
     * channel during a force and hide its error, so then a second descriptor, which nothing else
     * uses and no interrupt closes, is asked for its own verdict.
     * A flush that waited may return without a force of its own if one that *began* after it
     * came has succeeded meanwhile: `forcesBegun` is read before waiting.
     */
    private final Path path;
    private final GuardedChannel channel;
    private final ImageHost.@Nullable Witness witness;
    private final AtomicLong sizeBytes;
    /** Counted up before the change of size completes; compared by flushes. */
    private final AtomicLong growths = new AtomicLong();

    private final ReentrantLock flushLock = new ReentrantLock();
    /** Written under flushLock, read by any before it waits for the lock. */
    private volatile long forcesBegun;
    /** Guarded by flushLock. */
    private long lastForceSucceeded;
    /** Guarded by flushLock. */
    private long growthsForced;
    /** Guarded by flushLock. */
    private @Nullable IOException lost;

    ImageFile(ImageHost host, Path path, boolean readOnly) throws IOException {
        this.path = path;
        boolean opened = false;
        this.channel = new GuardedChannel(host, path, readOnly);
        try {
            this.witness = readOnly ? null : host.openWitness(path);
            this.sizeBytes = new AtomicLong(channel.size());
            opened = true;
        } finally {
            if (!opened) {
                channel.close();
            }
        }
    }

    long sizeBytes() {
        return sizeBytes.get();
    }

    Path path() {
        return path;
    }

    /** Fills the buffer; the whole range must be below {@link #sizeBytes}. */
    void read(ByteBuffer target, long position) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count <= 0) {
                throw new EOFException(path + " ends at " + at + " but held " + sizeBytes()
                        + " bytes: truncated while in use");
            }
            at += count;
        }
    }

    /** Writes the whole buffer. */
    void write(ByteBuffer source, long position) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int count = channel.write(source, at);
            if (count <= 0) {
                throw new IOException(path + " takes no bytes at " + at);
            }
            at += count;
        }
    }

    /** Throws if the file no longer holds what it is known to hold. */
    void requireWhole() throws IOException {
        long known = sizeBytes();
        if (channel.size() < known) {
            requireWholeUnlessResized();
        }
    }

    private synchronized void requireWholeUnlessResized() throws IOException {
        long known = sizeBytes();
        long size = channel.size();
        if (size < known) {
            throw new EOFException(path + " ends at " + size + " but held " + known
                    + " bytes: truncated while in use");
        }
    }

    /** Notes how far a finished write has reached. */
    void reached(long endBytes) throws IOException {
        if (endBytes > sizeBytes()) {
            noteGrowth(endBytes);
        }
    }

    /** No further than the file goes now: it may have been cut since. */
    private synchronized void noteGrowth(long endBytes) throws IOException {
        long reachedBytes = Math.min(endBytes, channel.size());
        // Before the size: whoever sees the size and then flushes forces the metadata as well.
        growths.incrementAndGet();
        sizeBytes.accumulateAndGet(reachedBytes, Math::max);
    }

    /**
     * Makes the file this long; what is added reads as zeroes.
     *
     * @param bytes how long it is to be
     * @param writableBytes how far transfers were let in before
     */
    synchronized void resize(long bytes, long writableBytes) throws IOException {
        ImageHost.Witness second = Objects.requireNonNull(witness, "a read-only image is resized");
        long known = sizeBytes();
        // Before the size, as above: a length that a flush acknowledged is durable.
        growths.incrementAndGet();
        if (bytes < writableBytes) {
            sizeBytes.set(Math.min(known, bytes));
            setLength(second, bytes, known);
        } else {
            requireWholeUnlessResized();
            sizeBytes.set(Math.min(known, writableBytes));
            if (channel.size() > writableBytes) {
                second.setLength(writableBytes);
            }
            second.setLength(bytes);
        }
        sizeBytes.set(bytes);
    }

    /** Cuts; if the host refuses, the file holds what it held. */
    private void setLength(ImageHost.Witness second, long bytes, long known) throws IOException {
        try {
            second.setLength(bytes);
        } catch (IOException e) {
            sizeBytes.set(known);
            throw e;
        }
    }

    /** Returns once every write that was complete when this was called is durable, or throws. */
    void flush() throws IOException {
        ImageHost.Witness second = witness;
        if (second == null) {
            return;
        }
        long begunBefore = forcesBegun;
        flushLock.lock();
        try {
            if (lost != null) {
                throw new IOException(path + ": an earlier flush lost data", lost);
            }
            if (lastForceSucceeded <= begunBefore) {
                force(second);
            }
        } finally {
            flushLock.unlock();
        }
    }

    /** How many flushes wait for another one, about. For diagnoses. */
    int flushesWaiting() {
        return flushLock.getQueueLength();
    }

    /** Idempotent. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (witness != null) {
            witness.close();
        }
    }

    /** Under flushLock. */
    private void force(ImageHost.Witness second) throws IOException {
        long number = forcesBegun + 1;
        forcesBegun = number;
        long growthsSeen = growths.get();
        try {
            forceOnEither(second, growthsSeen != growthsForced);
        } catch (IOException e) {
            lost = e;
            throw e;
        }
        growthsForced = growthsSeen;
        lastForceSucceeded = number;
    }

    private void forceOnEither(ImageHost.Witness second, boolean metadata) throws IOException {
        try {
            channel.force(metadata);
        } catch (ClosedChannelException e) {
            second.sync();
        }
    }
}
