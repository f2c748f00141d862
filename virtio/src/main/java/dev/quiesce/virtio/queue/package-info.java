/**
 * The device side of a split virtqueue (VirtIO 1.2, 2.7). Knows guest memory only, so it is
 * usable alone.
 *
 * <p>A driver publishes chains of buffers; the device pops them, works, pushes their heads back
 * with the number of bytes written, and publishes once per batch. {@link
 * dev.quiesce.virtio.queue.Virtqueue} has the loop that every user of a queue writes.
 *
 * <p><b>The ring is hostile.</b> Every descriptor is read once and judged from the private copy;
 * every walk has a bound; a defect is a {@link dev.quiesce.virtio.queue.QueueFault}, a value, and
 * the first one breaks the queue for good: nothing is written to the guest after it. Memory that
 * throws is a fault too.
 *
 * <p><b>Threads.</b> A queue, and each chain popped from it, is confined: one thread at a time,
 * with a happens-before edge between successive owners (a loop's lease, a posted task). The queue
 * does not know loops, so the device that owns it checks the thread. Nothing here blocks, locks,
 * or allocates once the chains have grown to what the driver sends.
 *
 * <p>Read {@link dev.quiesce.virtio.queue.Virtqueue}, then
 * {@link dev.quiesce.virtio.queue.SplitVirtqueue} with the note inside.
 */
@NullMarked
package dev.quiesce.virtio.queue;

import org.jspecify.annotations.NullMarked;
