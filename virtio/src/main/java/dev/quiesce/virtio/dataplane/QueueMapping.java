package dev.quiesce.virtio.dataplane;

import dev.quiesce.aio.AioContext;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/** Which context serves which request queue. */
public sealed interface QueueMapping {
    /**
     * The context in which a queue shall be served now. Control.
     *
     * @param requestQueue number of the request queue, 0 based, not counting control and event
     *     queues
     * @return the context
     */
    AioContext contextOf(int requestQueue);

    /**
     * Whether queues move when the answer of {@link #contextOf} changes.
     *
     * @return whether the dataplane hands queues over at the end of drained sections
     */
    boolean follows();

    /**
     * A queue's context never changes (DP-43).
     *
     * @param contexts the context of each request queue, in queue order
     */
    record Fixed(List<AioContext> contexts) implements QueueMapping {
        /**
         * Copies and checks the list.
         *
         * @param contexts as the component
         * @throws IllegalArgumentException naming the value that does not fit
         */
        public Fixed {
            contexts = List.copyOf(contexts);
            if (contexts.isEmpty()) {
                throw new IllegalArgumentException("a mapping needs at least one context (DP-3)");
            }
        }

        @Override
        public AioContext contextOf(int requestQueue) {
            return contexts.get(requestQueue);
        }

        @Override
        public boolean follows() {
            return false;
        }
    }

    /**
     * A queue is served where its leader is, and moves after it.
     *
     * @param leader the present context of each request queue's leader; called on the control
     *     thread
     */
    record Follow(IntFunction<AioContext> leader) implements QueueMapping {
        @Override
        public AioContext contextOf(int requestQueue) {
            return leader.apply(requestQueue);
        }

        @Override
        public boolean follows() {
            return true;
        }
    }

    /**
     * Entry i of k serves queues i, i+k, i+2k, … (DP-4).
     *
     * @param contexts the contexts, each once
     * @param requestQueues number of request queues
     * @return the mapping
     * @throws IllegalArgumentException if a context is named twice or none is given (DP-3)
     */
    static QueueMapping roundRobin(List<AioContext> contexts, int requestQueues) {
        Set<AioContext> seen = new HashSet<>();
        for (AioContext context : contexts) {
            if (!seen.add(context)) {
                throw new IllegalArgumentException(
                        "context " + context.name() + " is named twice (DP-3)");
            }
        }
        if (contexts.isEmpty() || requestQueues < 1) {
            throw new IllegalArgumentException("needs contexts and queues, has " + contexts.size()
                    + " and " + requestQueues + " (DP-3)");
        }
        List<AioContext> perQueue = new ArrayList<>();
        for (int i = 0; i < requestQueues; i++) {
            perQueue.add(contexts.get(i % contexts.size()));
        }
        return new Fixed(perQueue);
    }
}
