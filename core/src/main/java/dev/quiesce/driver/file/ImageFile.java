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
     * and what was there is lost: reads of it fail, and so does every write and every resize,
     * because either would turn lost bytes into zeroes.
     *
     * Resizing goes on beside other transfers; those changes of the size exclude each other under
     * the monitor. To cut, `sizeBytes` is lowered before the file is, to add, raised after it; so
     * who reads `sizeBytes` and then asks the host finds no less, unless a cut came in between,
     * which a second look under the monitor tells. A write that had been let in before a cut may
     * end behind it and leave bytes there: `limitBytes` tells it so when it ends, whichever way,
     * and it cuts them off again. One that is still at it when the file is made longer finds what
     * it has stored so far cut off first, so that what is added reads as zeroes.
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
    /** How often one read may find the file cut and made longer again; then it fails. */
    private static final int LOOKS_MAX = 1000;

    private final Path path;
    private final GuardedChannel channel;
    private final ImageHost.@Nullable Witness witness;
    private final AtomicLong sizeBytes;
    /** How far the last resize lets the file go. Written under the monitor, read by any. */
    private volatile long limitBytes = Long.MAX_VALUE;
    /**
     * Counted up when the host has changed the size, before anybody is told; compared by flushes.
     */
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
        this.channel = new GuardedChannel(host, path, readOnly);
        ImageHost.Witness second = null;
        try {
            second = readOnly ? null : host.openWitness(path);
            this.sizeBytes = new AtomicLong(channel.size());
        } catch (IOException | RuntimeException e) {
            GuardedChannel.closeBecauseOf(e, channel);
            GuardedChannel.closeBecauseOf(e, second);
            throw e;
        }
        this.witness = second;
    }

    long sizeBytes() {
        return sizeBytes.get();
    }

    Path path() {
        return path;
    }

    /**
     * Fills the buffer; the whole range was below {@link #sizeBytes} before.
     *
     * @return false if it no longer is: a resize has cut it off
     */
    boolean read(ByteBuffer target, long position) throws IOException {
        long at = position;
        for (int looks = 0; target.hasRemaining(); ) {
            int count = channel.read(target, at);
            if (count > 0) {
                at += count;
            } else if (wasCut(at, at + target.remaining())) {
                return false;
            } else if (++looks == LOOKS_MAX) {
                throw truncated(at);
            }
        }
        return true;
    }

    /**
     * The file was found to end early: looks again. Throws if it does for no reason of ours; false
     * if it was made longer meanwhile.
     */
    private synchronized boolean wasCut(long at, long end) throws IOException {
        if (end > sizeBytes()) {
            return true;
        }
        if (channel.size() <= at) {
            throw truncated(at);
        }
        return false;
    }

    private EOFException truncated(long at) {
        return new EOFException(path + " ends at " + at + " but held " + sizeBytes()
                + " bytes: truncated while in use");
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
        long size = channel.size();
        if (size < sizeBytes()) {
            throw truncated(size);
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
        long reachedBytes = Math.min(Math.min(endBytes, limitBytes), channel.size());
        // Before the size: whoever sees the size and then flushes forces the metadata as well.
        growths.incrementAndGet();
        sizeBytes.accumulateAndGet(reachedBytes, Math::max);
    }

    /** A write up to here has ended, whichever way; what it left behind a cut goes. */
    void ended(long endBytes) throws IOException {
        if (endBytes > limitBytes) {
            cutToLimit();
        }
    }

    private synchronized void cutToLimit() throws IOException {
        if (channel.size() > limitBytes) {
            try {
                Objects.requireNonNull(witness, "somebody wrote").setLength(limitBytes);
            } finally {
                growths.incrementAndGet();
            }
        }
    }

    /**
     * Makes the file this long; what is added reads as zeroes.
     *
     * @param bytes how long it is to be
     * @param writableBytes how far transfers were let in before
     */
    synchronized void resize(long bytes, long writableBytes) throws IOException {
        ImageHost.Witness second = Objects.requireNonNull(witness, "a read-only image is resized");
        requireWholeUnlessResized();
        long known = sizeBytes();
        try {
            if (bytes < writableBytes) {
                cut(second, bytes);
            } else {
                sizeBytes.set(Math.min(known, writableBytes));
                if (channel.size() > writableBytes) {
                    second.setLength(writableBytes);
                }
                second.setLength(bytes);
            }
        } finally {
            // After the host's change, or a flush in between would take the count along and leave
            // the change; before the size, as above: a length that a flush acknowledged is durable.
            growths.incrementAndGet();
        }
        limitBytes = bytes;
        sizeBytes.set(bytes);
    }

    /**
     * If the host refuses, the file holds what it held. The limit comes before the cut: a write
     * that ends in between waits for the monitor and looks how far the file goes then.
     */
    private void cut(ImageHost.Witness second, long bytes) throws IOException {
        long known = sizeBytes();
        long limit = limitBytes;
        sizeBytes.set(Math.min(known, bytes));
        limitBytes = bytes;
        try {
            second.setLength(bytes);
        } catch (IOException e) {
            limitBytes = limit;
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
        ImageHost.Witness second = witness;
        try {
            channel.close();
        } finally {
            if (second != null) {
                second.close();
            }
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
