/**
 * The storage daemon: serves block nodes to guests of other processes, and obeys a monitor.
 *
 * <p>Threads: the thread that runs the command owns the main context and polls it until the daemon
 * is told to stop. Read {@code StorageDaemonCommand} (options), then {@code StorageDaemon} (life
 * cycle), then the packages {@code machine} and {@code monitor}.
 */
@NullMarked
package dev.quiesce.examples.daemon;

import org.jspecify.annotations.NullMarked;
