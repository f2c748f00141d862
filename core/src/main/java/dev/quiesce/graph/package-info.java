/**
 * The control plane of one machine: nodes, edges, edits, and changes of context.
 *
 * <p>A {@link dev.quiesce.graph.BlockGraph} holds the {@link dev.quiesce.graph.BlockNode nodes} of
 * one machine. Each node owns a driver and points at its children through
 * {@link dev.quiesce.graph.Edge edges}; requests run down those edges, drained sections climb up
 * them. Whatever changes the graph is a {@link dev.quiesce.graph.GraphChange}: it is planned, what
 * it touches is drained, one wait follows, the plan is made again, and the change is committed
 * without polling in between.
 *
 * <p>Thread rule: everything here is control (the owner of the graph's main context), except what
 * says otherwise: requests read edges from any context, and {@code context()}, {@code limits()} and
 * the asynchronous forms may be called from any thread.
 *
 * <p>Read first: {@link dev.quiesce.graph.BlockNode} for drained sections,
 * {@link dev.quiesce.graph.GraphChange} for the one way in which the graph changes, then
 * {@link dev.quiesce.graph.ContextChange}.
 */
@NullMarked
package dev.quiesce.graph;

import org.jspecify.annotations.NullMarked;
