/**
 * The values of the block layer: what is asked ({@link dev.quiesce.block.Operation}), how it ended
 * ({@link dev.quiesce.block.BlockStatus}), where the bytes are ({@link dev.quiesce.block.IoVector})
 * and what a node can do ({@link dev.quiesce.block.BlockLimits}). Nothing here waits, starts a
 * thread or knows an event loop.
 *
 * <p>Threads: enums and records are immutable; an {@code IoVector} belongs to whoever owns the
 * request it is part of. Read {@code IoVector} first.
 */
@NullMarked
package dev.quiesce.block;

import org.jspecify.annotations.NullMarked;
