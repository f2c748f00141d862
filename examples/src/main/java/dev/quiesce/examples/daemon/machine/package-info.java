/**
 * What the storage daemon is made of: nodes, IOThreads, exports and their disks, by name.
 *
 * <p>Threads: everything belongs to the main context and starts there; whatever takes time is
 * asynchronous and completes there. Read {@code Machine} first (what can be asked), then
 * {@code ExportTable} (how a disk gets in front of a guest) and {@code Transport} (how guests reach
 * it).
 */
@NullMarked
package dev.quiesce.examples.daemon.machine;

import org.jspecify.annotations.NullMarked;
