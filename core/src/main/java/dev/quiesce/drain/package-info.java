/**
 * The gate: in-flight counting, quiescing, parking, and drained sections. Knows nothing of blocks.
 */
@NullMarked
package dev.quiesce.drain;

import org.jspecify.annotations.NullMarked;
