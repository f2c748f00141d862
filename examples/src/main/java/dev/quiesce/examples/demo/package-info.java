/**
 * The main job as a program: a disk image behind virtio-scsi, a guest that verifies every byte,
 * and a control side that never leaves the disks alone.
 *
 * <p>Read {@code Demo} first, then {@code DemoMachine} (what is built), {@code GuestStorm} (the
 * guest's side) and {@code ControlStorm} (the other side).
 */
@NullMarked
package dev.quiesce.examples.demo;

import org.jspecify.annotations.NullMarked;
