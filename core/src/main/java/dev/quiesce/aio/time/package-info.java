/**
 * Clocks: the time that timers are armed on. The host's monotonic time, its wall clock, and the
 * time of a machine that may be stopped, started and set. Also what is armed on one clock:
 * {@link dev.quiesce.aio.time.ClockTimers}.
 *
 * <p>Nothing here knows an event loop. A clock that can change other than by passing tells those
 * who {@linkplain dev.quiesce.aio.time.Clock#watch watch} it. Clocks may be asked and changed by
 * any thread.
 */
@NullMarked
package dev.quiesce.aio.time;

import org.jspecify.annotations.NullMarked;
