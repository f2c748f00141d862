package dev.quiesce.testkit.channel;

import java.nio.channels.ClosedSelectorException;
import java.nio.channels.IllegalSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelectionKey;
import java.nio.channels.spi.AbstractSelector;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A selector whose sleep is its {@link SelectorHost}'s. Names what is ready in an order that the
 * host decides. Confined to the thread of its simulation.
 */
public final class SimulatedSelector extends AbstractSelector {
    private final SelectorHost host;
    private final Set<SelectionKey> keys = new LinkedHashSet<>();
    private final Set<SelectionKey> selected = new LinkedHashSet<>();
    private boolean awake;

    SimulatedSelector(SimulatedChannels provider, SelectorHost host) {
        super(provider);
        this.host = host;
    }

    /** {@return whether a selection made now would find something} Changes nothing. */
    public boolean hasReady() {
        return isOpen() && keys.stream().anyMatch(key -> ((SimulatedKey) key).isReady());
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object with) {
        if (channel.provider() != provider() || !(channel instanceof SimulatedPipe.End end)) {
            throw new IllegalSelectorException();
        }
        SimulatedKey key = new SimulatedKey(channel, end, this, ops);
        key.attach(with);
        keys.add(key);
        return key;
    }

    @Override
    public Set<SelectionKey> keys() {
        checkOpen();
        return Collections.unmodifiableSet(keys);
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        checkOpen();
        return selected;
    }

    @Override
    public int selectNow() {
        return find(selected::add, 0);
    }

    @Override
    public int select(long timeoutMillis) {
        return find(selected::add, sleepNanos(timeoutMillis));
    }

    @Override
    public int select() {
        return find(selected::add, Long.MAX_VALUE);
    }

    @Override
    public int selectNow(Consumer<SelectionKey> action) {
        return find(action, 0);
    }

    @Override
    public int select(Consumer<SelectionKey> action, long timeoutMillis) {
        return find(action, sleepNanos(timeoutMillis));
    }

    @Override
    public int select(Consumer<SelectionKey> action) {
        return find(action, Long.MAX_VALUE);
    }

    @Override
    public Selector wakeup() {
        awake = true;
        return this;
    }

    @Override
    protected void implCloseSelector() {
        for (SelectionKey key : keys) {
            key.cancel();
        }
        forgetCancelled();
    }

    private int find(Consumer<SelectionKey> action, long sleepNanos) {
        checkOpen();
        forgetCancelled();
        if (sleepNanos != 0 && !awake && !hasReady()) {
            host.sleep(sleepNanos);
            forgetCancelled();
        }
        awake = false;
        List<SimulatedKey> ready = new ArrayList<>();
        for (SelectionKey key : keys) {
            if (((SimulatedKey) key).isReady()) {
                ready.add((SimulatedKey) key);
            }
        }
        int found = ready.size();
        while (!ready.isEmpty()) {
            SimulatedKey next = ready.remove(ready.size() == 1 ? 0 : host.first(ready.size()));
            next.find();
            action.accept(next);
        }
        return found;
    }

    private void forgetCancelled() {
        Set<SelectionKey> cancelled = cancelledKeys();
        for (SelectionKey key : cancelled) {
            keys.remove(key);
            selected.remove(key);
            deregister((AbstractSelectionKey) key);
        }
        cancelled.clear();
    }

    private void checkOpen() {
        if (!isOpen()) {
            throw new ClosedSelectorException();
        }
    }

    /** 0 means without bound, as the JDK has it. */
    private static long sleepNanos(long timeoutMillis) {
        if (timeoutMillis < 0) {
            throw new IllegalArgumentException("cannot select for " + timeoutMillis + " ms");
        }
        return timeoutMillis == 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }
}
