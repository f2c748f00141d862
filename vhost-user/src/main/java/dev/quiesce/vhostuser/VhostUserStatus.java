package dev.quiesce.vhostuser;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a server stands: a snapshot.
 *
 * @param isOpen whether front ends are accepted: the server is not closed, and the socket at its
 *     path is the one that it made. One that was removed, replaced or touched (it was modified
 *     since) is not: nobody finds the server by it, or nobody can tell
 * @param sessions front ends accepted so far
 * @param frontEnd the one that is connected and has sent a message, or null
 */
public record VhostUserStatus(boolean isOpen, long sessions, @Nullable FrontEnd frontEnd) {
    /**
     * A connected front end, as of its last message.
     *
     * @param features device features that it acknowledged, protocol bit included; 0 before
     * @param protocolFeatures protocol features that it agreed to
     * @param regions regions of memory that it shares
     * @param memoryBytes their length together
     * @param queues the device's queues, in order
     */
    public record FrontEnd(
            long features,
            long protocolFeatures,
            int regions,
            long memoryBytes,
            List<Queue> queues) {
        /**
         * Copies the list.
         *
         * @param features as the component
         * @param protocolFeatures as the component
         * @param regions as the component
         * @param memoryBytes as the component
         * @param queues as the component
         */
        public FrontEnd {
            queues = List.copyOf(queues);
        }
    }

    /**
     * One queue.
     *
     * @param isStarted whether the front end has started its ring
     * @param isEnabled whether the front end has enabled it
     * @param isRunning whether the device has the ring
     */
    public record Queue(boolean isStarted, boolean isEnabled, boolean isRunning) {
    }
}
