package dev.quiesce.testkit.channel;

import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectionKey;

/** The registration of one end of a pipe with a selector. */
final class SimulatedKey extends AbstractSelectionKey {
    private final SelectableChannel channel;
    private final SimulatedPipe.End end;
    private final Selector selector;
    private int interest;
    private int found;

    SimulatedKey(SelectableChannel channel, SimulatedPipe.End end, Selector selector, int ops) {
        this.channel = channel;
        this.end = end;
        this.selector = selector;
        this.interest = ops;
    }

    /** Whether a selection made now would name this. */
    boolean isReady() {
        return isValid() && (interest & end.readyOps()) != 0;
    }

    /** Remembers what the channel is ready for. */
    void find() {
        found = interest & end.readyOps();
    }

    @Override
    public SelectableChannel channel() {
        return channel;
    }

    @Override
    public Selector selector() {
        return selector;
    }

    @Override
    public int interestOps() {
        checkValid();
        return interest;
    }

    @Override
    public SelectionKey interestOps(int ops) {
        checkValid();
        if ((ops & ~channel.validOps()) != 0) {
            throw new IllegalArgumentException("not operations of " + channel + ": " + ops);
        }
        interest = ops;
        return this;
    }

    @Override
    public int readyOps() {
        checkValid();
        return found;
    }

    private void checkValid() {
        if (!isValid()) {
            throw new CancelledKeyException();
        }
    }
}
