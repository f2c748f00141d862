/** Step models of the clocks; see {@link dev.quiesce.aio}. */
@NullMarked
package dev.quiesce.aio.time;

import org.jspecify.annotations.NullMarked;
