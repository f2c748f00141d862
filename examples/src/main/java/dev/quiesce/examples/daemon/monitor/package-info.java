/**
 * The daemon's monitor: JSON lines in the form of QMP over a Unix socket.
 *
 * <p>Threads: one thread serves the sockets of all clients and never waits for anything else;
 * commands run in the main context, which never touches a socket. Read {@code MonitorServer}
 * (sockets), then {@code Dialogue} (what a client says and hears), then {@code Commands} (what it
 * can ask for).
 */
@NullMarked
package dev.quiesce.examples.daemon.monitor;

import org.jspecify.annotations.NullMarked;
