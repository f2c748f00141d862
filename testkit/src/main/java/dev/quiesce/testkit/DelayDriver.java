package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.util.function.ToLongFunction;

/**
 * Passes each request on to its child after some time on the clock of the request's home context. A
 * request that is cancelled meanwhile completes with {@code CANCELLED}.
 *
 * <p>Thread: any, for all that is not of the SPI.
 */
public final class DelayDriver extends Filter {
    private final ToLongFunction<BlockRequest> delayNanos;

    /**
     * Makes a driver that delays everything by the same time.
     *
     * @param delayNanos how long, in nanoseconds
     */
    public DelayDriver(long delayNanos) {
        this(request -> delayNanos);
    }

    /**
     * Makes a driver that asks how long to delay each request.
     *
     * @param delayNanos tells how long, in nanoseconds; called in the home context of the request,
     *     in several at a time
     */
    public DelayDriver(ToLongFunction<BlockRequest> delayNanos) {
        super("delay");
        this.delayNanos = delayNanos;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        AioContext home = request.home();
        Delay delay = new Delay(this, request);
        request.driverState(delay);
        delay.timer.armAt(home.clock().nanoTime() + delayNanos.applyAsLong(request));
    }

    @Override
    public void cancel(BlockRequest request) {
        if (request.driverState() instanceof Delay delay && delay.isOf(this, request)) {
            delay.timer.cancel();
            request.complete(BlockStatus.CANCELLED, null);
        }
    }

    /** One delay of one submission: a timer of its home context. */
    private static final class Delay {
        private final DelayDriver owner;
        private final BlockRequest request;
        private final LoopTimer timer;

        Delay(DelayDriver owner, BlockRequest request) {
            this.owner = owner;
            this.request = request;
            this.timer = new LoopTimer(request.home(), "delay of " + request, this::passOn);
        }

        boolean isOf(DelayDriver driver, BlockRequest which) {
            return owner == driver && request == which && timer.isArmed();
        }

        private void passOn() {
            request.forward(owner.child());
        }
    }
}
