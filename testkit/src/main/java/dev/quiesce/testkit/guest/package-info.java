/**
 * The driver side of virtio-scsi: a guest that owns memory, builds rings and checks every answer.
 *
 * <p>Published, because whoever embeds the device side wants to drive it: as a real driver does
 * ({@link dev.quiesce.testkit.guest.DriverQueue}), and as no driver may ({@link
 * dev.quiesce.testkit.guest.HostileRing}). Nothing here trusts the device: an answer that was not
 * due is reported, not believed.
 *
 * <p><b>Threads.</b> {@link dev.quiesce.testkit.guest.GuestRam} is shared by all threads like RAM;
 * a queue belongs to one vCPU thread at a time.
 *
 * <p>Read {@link dev.quiesce.testkit.guest.GuestRam}, then
 * {@link dev.quiesce.testkit.guest.DriverQueue}.
 */
@NullMarked
package dev.quiesce.testkit.guest;

import org.jspecify.annotations.NullMarked;
