/**
 * The driver of a host file: positional I/O on the worker seam.
 *
 * <p>Threads: {@link dev.quiesce.driver.file.FileDriver} is concurrent. Its submit only queues; the
 * file is touched in {@code WorkItem.work()}, on a worker or, with inline workers, in the next turn
 * of the request's home context. Read {@code FileDriver} first, then {@code ImageFile}, which owns
 * the hard parts: interrupts, truncation, durability.
 */
@NullMarked
package dev.quiesce.driver.file;

import org.jspecify.annotations.NullMarked;
