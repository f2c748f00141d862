/**
 * The block backend: a device's handle on a graph, with its gate, its ports, and its own context.
 *
 * <p>A {@link dev.quiesce.backend.BlockBackend} stands between a device and a node. Requests enter
 * through a {@link dev.quiesce.backend.Port}, one for each submitting context; a drained section
 * parks them there and waits for those that entered before. The backend has a context of its own,
 * which anybody may read at any time and which changes only inside a drained section.
 *
 * <p>Thread rule: ports are home context; insertion, removal, moves and listeners are control;
 * reading a backend, pinning it and the asynchronous forms are for any thread.
 *
 * <p>Read first: {@link dev.quiesce.backend.Port} for the way of a request,
 * {@link dev.quiesce.backend.BlockBackend#pin()} for what the context is good for.
 */
@NullMarked
package dev.quiesce.backend;

import org.jspecify.annotations.NullMarked;
