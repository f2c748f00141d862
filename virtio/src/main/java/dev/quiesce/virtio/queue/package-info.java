/**
 * The split virtqueue. Knows guest memory only, so it is usable alone.
 */
@NullMarked
package dev.quiesce.virtio.queue;

import org.jspecify.annotations.NullMarked;
