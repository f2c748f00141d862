/**
 * The virtio-scsi device (VirtIO 1.2, 5.6): a SCSI host whose commands, task management and events
 * travel over virtqueues.
 *
 * <p>Thread rule: a request queue, its command records and its responses are confined to the
 * context that serves the queue; the control queue, the event queue and the life cycle belong to
 * the main context; registers may be used from any thread, one caller at a time.
 *
 * <p>Read {@code RequestQueue} first (a command's way from ring to logical unit and back), then
 * {@code ControlQueue} and {@code VirtioScsi}.
 */
@NullMarked
package dev.quiesce.virtio.scsi;

import org.jspecify.annotations.NullMarked;
