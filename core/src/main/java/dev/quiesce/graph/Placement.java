package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;

/**
 * Where a connected component lives, as one immutable value (CTX-19).
 *
 * @param context the component's context
 * @param generation grows with every placement of the same graph, so two equal generations mean
 *     that nothing has moved in between
 */
public record Placement(AioContext context, long generation) {}
