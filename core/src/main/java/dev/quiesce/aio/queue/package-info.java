/**
 * How things come to a loop from other threads, and where they wait without taking memory. Knows no
 * loop.
 *
 * <p><b>Threads.</b> Any thread leaves things in an {@link dev.quiesce.aio.queue.Inbox}; one at a
 * time, the taker, takes them. A {@link dev.quiesce.aio.queue.Line} is for one thread at a time.
 *
 * <p>Read {@link dev.quiesce.aio.queue.RingInbox}.
 */
@NullMarked
package dev.quiesce.aio.queue;

import org.jspecify.annotations.NullMarked;
