/**
 * What a loop does, for whoever watches it: statistics, observers of slow callbacks, events for
 * Flight Recorder, and a watchdog for loops that do not come back. Knows no loop: a loop feeds its
 * {@link dev.quiesce.aio.watch.LoopMeter}, everybody else sees it as a
 * {@link dev.quiesce.aio.watch.WatchedLoop}.
 *
 * <p><b>Cost.</b> A loop that nobody observes counts turns and tasks, a plain addition and an
 * opaque store each, and reads no clock. Naming and timing callbacks begins with the first observer
 * or watchdog, and ends with the last.
 *
 * <p><b>Threads.</b> A meter is written by the home of its loop. Everything else is for any thread.
 *
 * <p>Read {@link dev.quiesce.aio.watch.WatchedLoop} first, then
 * {@link dev.quiesce.aio.watch.Watchdog}.
 */
@NullMarked
package dev.quiesce.aio.watch;

import org.jspecify.annotations.NullMarked;
