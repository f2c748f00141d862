package dev.quiesce.testkit;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Fails the requests that a rule picks, and lets the others pass to its child.
 *
 * <p>Thread: any, for all that is not of the SPI.
 */
public final class FaultDriver extends Filter {
    private final AtomicLong faults = new AtomicLong();
    private volatile Rule rule;

    /**
     * Makes a driver.
     *
     * @param rule which requests fail, and how
     */
    public FaultDriver(Rule rule) {
        super("fault");
        this.rule = rule;
    }

    /**
     * Replaces the rule; requests that come from now on are judged by it.
     *
     * @param next which requests fail, and how
     */
    public void rule(Rule next) {
        // Volatile: the next request in any context sees it.
        rule = next;
    }

    /** {@return how many requests were failed} */
    public long faults() {
        return faults.get();
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        BlockStatus verdict = rule.judge(request);
        if (verdict.isOk()) {
            request.forward(node.child(0));
            return;
        }
        faults.incrementAndGet();
        request.complete(verdict, new IOException("injected " + verdict));
    }

    /** Which requests fail. */
    @FunctionalInterface
    public interface Rule {
        /**
         * Judges one request. Called in its home context, from several at a time.
         *
         * @param request the request, only to be read
         * @return {@code OK} to let it pass, else how it fails
         */
        BlockStatus judge(BlockRequest request);
    }
}
