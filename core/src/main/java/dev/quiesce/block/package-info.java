/**
 * Values of the block layer: limits, flags, statuses, buffers. No behaviour that waits.
 */
@NullMarked
package dev.quiesce.block;

import org.jspecify.annotations.NullMarked;
