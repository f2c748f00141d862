package dev.quiesce.aio;

import java.io.IOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.SelectorProvider;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;

/** Finds each of its channels ready, once each time it is told so; selecting takes no memory. */
final class ReadySelector extends Selector {
    private static final SelectionKey[] NONE = {};

    private final Set<SelectionKey> keys = new LinkedHashSet<>();
    private SelectionKey[] ready = NONE;

    /** The next selection finds all channels ready. */
    void allReady() {
        ready = keys.toArray(SelectionKey[]::new);
    }

    @Override
    public int selectNow(Consumer<SelectionKey> action) {
        SelectionKey[] found = ready;
        for (SelectionKey key : found) {
            action.accept(key);
        }
        ready = NONE;
        return found.length;
    }

    @Override
    public Set<SelectionKey> keys() {
        return keys;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public SelectorProvider provider() {
        return SelectorProvider.provider();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        return Set.of();
    }

    @Override
    public int selectNow() {
        return 0;
    }

    @Override
    public int select(long timeoutMillis) {
        return 0;
    }

    @Override
    public int select() {
        return 0;
    }

    @Override
    public Selector wakeup() {
        return this;
    }

    @Override
    public void close() {
        keys.clear();
    }

    /** A channel for such a selector, which has nothing to read. */
    static final class Channel extends SelectableChannel {
        private SelectionKey key;

        @Override
        public SelectorProvider provider() {
            return SelectorProvider.provider();
        }

        @Override
        public int validOps() {
            return SelectionKey.OP_READ;
        }

        @Override
        public boolean isRegistered() {
            return key != null;
        }

        @Override
        public SelectionKey keyFor(Selector selector) {
            return key;
        }

        @Override
        public SelectionKey register(Selector selector, int ops, Object attachment) {
            key = new Key(this, selector);
            key.attach(attachment);
            selector.keys().add(key);
            return key;
        }

        @Override
        public SelectableChannel configureBlocking(boolean block) {
            return this;
        }

        @Override
        public boolean isBlocking() {
            return false;
        }

        @Override
        public Object blockingLock() {
            return this;
        }

        @Override
        protected void implCloseChannel() throws IOException {
            key.cancel();
        }
    }

    private static final class Key extends SelectionKey {
        private final Channel channel;
        private final Selector selector;

        Key(Channel channel, Selector selector) {
            this.channel = channel;
            this.selector = selector;
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
        public boolean isValid() {
            return selector.keys().contains(this);
        }

        @Override
        public void cancel() {
            selector.keys().remove(this);
        }

        @Override
        public int interestOps() {
            return OP_READ;
        }

        @Override
        public SelectionKey interestOps(int ops) {
            return this;
        }

        @Override
        public int readyOps() {
            return OP_READ;
        }
    }
}
