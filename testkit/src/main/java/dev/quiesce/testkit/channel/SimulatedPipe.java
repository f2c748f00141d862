package dev.quiesce.testkit.channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;

/**
 * A pipe in memory. What is written, and the end of it, is on its way until somebody lets it {@link
 * #arrive}: only then is it seen at the other end. Its ends never block. Confined to the thread of
 * its simulation.
 */
public final class SimulatedPipe extends Pipe {
    private final Source source;
    private final Sink sink;
    private final int capacityBytes;
    private final Deque<Byte> onTheWay = new ArrayDeque<>();
    private final Deque<Byte> arrived = new ArrayDeque<>();
    private boolean endArrived;

    SimulatedPipe(SimulatedChannels provider, int capacityBytes) {
        if (capacityBytes < 1) {
            throw new IllegalArgumentException("a pipe for " + capacityBytes + " bytes: need 1");
        }
        this.capacityBytes = capacityBytes;
        this.source = new Source(provider);
        this.sink = new Sink(provider);
        try {
            source.configureBlocking(false);
            sink.configureBlocking(false);
        } catch (IOException e) {
            throw new AssertionError("nothing that could fail", e);
        }
    }

    @Override
    public SourceChannel source() {
        return source;
    }

    @Override
    public SinkChannel sink() {
        return sink;
    }

    /** {@return whether something is on its way} */
    public boolean isOnTheWay() {
        return !onTheWay.isEmpty() || (!sink.isOpen() && !endArrived);
    }

    /** Lets everything arrive that is on its way. */
    public void arrive() {
        arrived.addAll(onTheWay);
        onTheWay.clear();
        endArrived = !sink.isOpen();
    }

    private int read(ByteBuffer into) throws IOException {
        if (!source.isOpen()) {
            throw new ClosedChannelException();
        }
        if (arrived.isEmpty() && endArrived) {
            return -1;
        }
        int count = Math.min(into.remaining(), arrived.size());
        for (int i = 0; i < count; i++) {
            into.put(arrived.remove());
        }
        return count;
    }

    private int write(ByteBuffer from) throws IOException {
        if (!sink.isOpen()) {
            throw new ClosedChannelException();
        }
        if (!source.isOpen()) {
            throw new IOException("the pipe is broken: its other end is closed");
        }
        int count = Math.min(from.remaining(), freeBytes());
        for (int i = 0; i < count; i++) {
            onTheWay.add(from.get());
        }
        return count;
    }

    private int freeBytes() {
        return capacityBytes - onTheWay.size() - arrived.size();
    }

    private static void refuseToBlock(boolean block) throws IOException {
        if (block) {
            throw new IOException("nobody may block in a simulation");
        }
    }

    /** What a key asks of its channel. */
    interface End {
        /** What could be done now without blocking; also if it would fail. */
        int readyOps();
    }

    private final class Source extends SourceChannel implements End {
        Source(SimulatedChannels provider) {
            super(provider);
        }

        @Override
        public int readyOps() {
            return !arrived.isEmpty() || endArrived ? SelectionKey.OP_READ : 0;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return SimulatedPipe.this.read(into);
        }

        @Override
        public long read(ByteBuffer[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            long sum = 0;
            for (int i = offset; i < offset + length; i++) {
                int count = SimulatedPipe.this.read(into[i]);
                if (count < 0) {
                    return sum == 0 ? count : sum;
                }
                sum += count;
            }
            return sum;
        }

        @Override
        public long read(ByteBuffer[] into) throws IOException {
            return read(into, 0, into.length);
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            refuseToBlock(block);
        }

        @Override
        protected void implCloseSelectableChannel() {
            onTheWay.clear();
            arrived.clear();
        }
    }

    private final class Sink extends SinkChannel implements End {
        Sink(SimulatedChannels provider) {
            super(provider);
        }

        @Override
        public int readyOps() {
            return freeBytes() > 0 || !source.isOpen() ? SelectionKey.OP_WRITE : 0;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return SimulatedPipe.this.write(from);
        }

        @Override
        public long write(ByteBuffer[] from, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, from.length);
            long sum = 0;
            for (int i = offset; i < offset + length; i++) {
                sum += SimulatedPipe.this.write(from[i]);
            }
            return sum;
        }

        @Override
        public long write(ByteBuffer[] from) throws IOException {
            return write(from, 0, from.length);
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            refuseToBlock(block);
        }

        @Override
        protected void implCloseSelectableChannel() {
            // What was written goes on its way; the end of it follows.
        }
    }
}
