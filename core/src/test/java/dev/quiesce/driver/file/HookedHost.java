package dev.quiesce.driver.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** The real host, with the test's hand in every call. Hooks default to the real thing. */
final class HookedHost implements ImageHost {
    /** A positional read or write. */
    interface Transfer {
        int perform(FileChannel real, ByteBuffer buffer, long position) throws IOException;
    }

    /** A force of a channel, or the size of one. */
    interface Call {
        void before(FileChannel real) throws IOException;
    }

    /** Opening. */
    interface Opening {
        void step(Path path) throws IOException;
    }

    /** A change of the file's length. */
    interface Resize {
        void before(long bytes) throws IOException;
    }

    /** Closing a channel. */
    interface Closing {
        void after() throws IOException;
    }

    /** The witness's sync. */
    interface Sync {
        void before() throws IOException;
    }

    final AtomicInteger opened = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();
    final AtomicInteger witnessesOpened = new AtomicInteger();
    final AtomicInteger witnessesClosed = new AtomicInteger();
    final AtomicInteger transfers = new AtomicInteger();
    final AtomicInteger forces = new AtomicInteger();
    final AtomicInteger metadataForces = new AtomicInteger();
    final AtomicInteger syncs = new AtomicInteger();
    volatile Transfer read = FileChannel::read;
    volatile Transfer write = FileChannel::write;
    volatile Call force = real -> { };
    volatile Call size = real -> { };
    volatile Opening open = path -> { };
    volatile Opening afterOpen = path -> { };
    volatile Closing close = () -> { };
    volatile Sync sync = () -> { };
    volatile Resize setLength = bytes -> { };
    private final ImageHost real = ImageHost.system();

    @Override
    public FileChannel openChannel(Path path, boolean readOnly) throws IOException {
        opened.incrementAndGet();
        open.step(path);
        HookedChannel channel = new HookedChannel(this, real.openChannel(path, readOnly));
        afterOpen.step(path);
        return channel;
    }

    @Override
    public Witness openWitness(Path path) throws IOException {
        Witness witness = real.openWitness(path);
        witnessesOpened.incrementAndGet();
        return new Witness() {
            @Override
            public void sync() throws IOException {
                syncs.incrementAndGet();
                sync.before();
                witness.sync();
            }

            @Override
            public void setLength(long bytes) throws IOException {
                setLength.before(bytes);
                witness.setLength(bytes);
            }

            @Override
            public void close() throws IOException {
                witnessesClosed.incrementAndGet();
                witness.close();
            }
        };
    }

    int read(FileChannel channel, ByteBuffer buffer, long position) throws IOException {
        transfers.incrementAndGet();
        return read.perform(channel, buffer, position);
    }

    int write(FileChannel channel, ByteBuffer buffer, long position) throws IOException {
        transfers.incrementAndGet();
        return write.perform(channel, buffer, position);
    }

    void force(FileChannel channel, boolean metadata) throws IOException {
        forces.incrementAndGet();
        metadataForces.addAndGet(metadata ? 1 : 0);
        force.before(channel);
        channel.force(metadata);
    }

    void close(FileChannel channel) throws IOException {
        closed.incrementAndGet();
        channel.close();
        close.after();
    }

    long size(FileChannel channel) throws IOException {
        size.before(channel);
        return channel.size();
    }
}
