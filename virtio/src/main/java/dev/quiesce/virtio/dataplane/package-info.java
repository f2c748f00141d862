/**
 * Serving a device's queues on event loops: start, stop, re-home.
 */
@NullMarked
package dev.quiesce.virtio.dataplane;

import org.jspecify.annotations.NullMarked;
