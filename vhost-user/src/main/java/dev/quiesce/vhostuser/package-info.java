/**
 * The back end's side of the vhost-user protocol: another process (QEMU, User-Mode Linux, any
 * machine monitor that speaks it) runs the guest and hands its memory, its kicks and its
 * interrupts over a Unix socket; a {@link dev.quiesce.virtio.device.VirtioDevice} of this process
 * serves the rings.
 *
 * <p>Knows no device type: it talks to the device as any transport does, through registers,
 * doorbells, and the starting and stopping of single queues.
 *
 * <p><b>The front end is hostile.</b> Every size is bounded before it is believed, every descriptor
 * that comes is owned by somebody and closed on every path, every address is translated in one
 * place. What it does wrong ends its connection, with one line in the log; nothing else suffers,
 * and the next front end is accepted.
 *
 * <p><b>Threads.</b> One thread per server accepts front ends and takes their messages, one at a
 * time, in order; it may wait for the device, and nothing waits for it. While a front end is
 * connected a second one waits for kicks, and a third one sees to it that nobody who signals the
 * front end is kept waiting. All come from the factory in the configuration. Rings are served by
 * the contexts that the device was given, as always.
 *
 * <p>Read {@link dev.quiesce.vhostuser.VhostUserServer} first, then {@code Session} (what each
 * message does) and {@code Ring} (when a ring runs).
 */
@NullMarked
package dev.quiesce.vhostuser;

import org.jspecify.annotations.NullMarked;
