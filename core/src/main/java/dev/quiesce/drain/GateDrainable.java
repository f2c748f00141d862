package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import java.util.Objects;

/**
 * A {@link Gate} as a {@link Drainable}: drains it alone, with no hooks above it.
 *
 * <p>For owners of a gate that have nobody to tell, and for tests. A block backend is drained
 * through itself, so that its listeners are told.
 */
public final class GateDrainable implements Drainable {
    private final Gate gate;

    /**
     * Wraps a gate. Any thread; any number of wrappers of one gate are equivalent.
     *
     * @param gate the gate
     */
    public GateDrainable(Gate gate) {
        this.gate = Objects.requireNonNull(gate, "gate");
    }

    @Override
    public void quiesce() {
        gate.quiesce();
    }

    @Override
    public boolean isBusy() {
        return !gate.isSettled();
    }

    @Override
    public void resume() {
        gate.resume();
    }

    @Override
    public AioContext main() {
        return gate.main();
    }

    @Override
    public void describe(WaitReport out) {
        gate.describe(out);
    }

    @Override
    public String name() {
        return gate.name();
    }
}
