/**
 * What a back end had in flight, kept where it outlives the back end: a buffer of the front end's
 * (VHU-25 to VHU-28). A back end that is killed is started again, the front end hands it the
 * buffer, and no request that the guest has seen finished is executed again, and none is lost.
 *
 * <p>{@link dev.quiesce.vhostuser.inflight.InflightBuffer} is the whole of it, {@link
 * dev.quiesce.vhostuser.inflight.InflightQueue} the part of one queue: its layout, the order of its
 * stores, and what is made of it after a crash. Both see the buffer as a {@link
 * dev.quiesce.virtio.memory.MemoryMap}, because it fails as guest memory does: a front end may
 * truncate it at any time.
 *
 * <p><b>The buffer is hostile.</b> Nothing read from it is believed before it is bounded; what
 * cannot be is an {@link dev.quiesce.vhostuser.inflight.InflightException}, never a loop and never
 * an access outside. While a queue runs nothing is read from it.
 *
 * <p>Used by the server alone; embedders have no use for it.
 */
@NullMarked
package dev.quiesce.vhostuser.inflight;

import org.jspecify.annotations.NullMarked;
