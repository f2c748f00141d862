/**
 * Who serves which queue: the pump that empties a ring in its home context, and the control-side
 * state that attaches pumps to contexts, detaches them, and hands a queue over from one context to
 * another.
 *
 * <p>Thread rule: a {@link dev.quiesce.virtio.dataplane.QueuePump} is confined to the context that
 * it is attached to; {@link dev.quiesce.virtio.dataplane.Dataplane} belongs to the control thread,
 * its public methods may be called from any thread. A ring is served by one context at a time
 * (DP-7, DP-8): a queue changes hands only when every chain popped from it was pushed and
 * published.
 *
 * <p>Read {@code QueuePump} first.
 */
@NullMarked
package dev.quiesce.virtio.dataplane;

import org.jspecify.annotations.NullMarked;
