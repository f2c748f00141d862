/**
 * What a loop draws events from, beside tasks and timers, and how it may ask instead of being told:
 * polling and its parameters, when to offer the core instead, sources of readiness such as a
 * selector, and the guard of a device against callbacks that enter one another.
 *
 * <p>Nothing here knows an event loop; the loop uses what is here. What is not said to be for any
 * thread belongs to the home context of the one loop it is used with.
 *
 * <p>Embedders need {@link dev.quiesce.aio.source.PollHook},
 * {@link dev.quiesce.aio.source.PollParameters} and
 * {@link dev.quiesce.aio.source.ReentrancyGuard}; the rest is between the loop and the packages
 * above it.
 */
@NullMarked
package dev.quiesce.aio.source;

import org.jspecify.annotations.NullMarked;
