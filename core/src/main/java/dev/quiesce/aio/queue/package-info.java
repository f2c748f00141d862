/**
 * How things come to a loop from other threads. Knows no loop.
 *
 * <p><b>Threads.</b> Any thread leaves things in an {@link dev.quiesce.aio.queue.Inbox}; one at a
 * time, the taker, takes them.
 *
 * <p>Read {@link dev.quiesce.aio.queue.RingInbox}.
 */
@NullMarked
package dev.quiesce.aio.queue;

import org.jspecify.annotations.NullMarked;
