/**
 * Event loops: the context of one loop, and the tasks, timers, notifiers and waits it serves.
 *
 * <p>A loop is not a thread. An {@link dev.quiesce.aio.AioContext} is polled by whoever holds its
 * {@link dev.quiesce.aio.Lease}: an {@link dev.quiesce.aio.IoThread} for its whole life, an
 * embedder's main loop, or a single-threaded machine for one step. Everything that waits, reads
 * the time or does blocking work goes through {@link dev.quiesce.aio.LoopSeams}, so the same code
 * runs on real threads and under a simulation.
 *
 * <p>Every public method belongs to one of three thread categories, named in its Javadoc and
 * checked when it is called:
 * <ul>
 *   <li><b>any thread</b>: safe everywhere, never blocks;</li>
 *   <li><b>home context</b>: only the thread that holds the context's lease, and not while that
 *       context is asleep;</li>
 *   <li><b>control</b>: the home context of a machine's main context.</li>
 * </ul>
 * A call from elsewhere throws an {@link java.lang.IllegalStateException} that names the context,
 * its owner and the caller.
 *
 * <p>Read first: {@link dev.quiesce.aio.AioContext} (one turn of the loop, and its order), then
 * {@link dev.quiesce.aio.Task}, {@link dev.quiesce.aio.BottomHalf} and
 * {@link dev.quiesce.aio.EventNotifier} (how other threads reach it), then
 * {@link dev.quiesce.aio.ControlWait} (the only nested wait).
 */
@NullMarked
package dev.quiesce.aio;

import org.jspecify.annotations.NullMarked;
