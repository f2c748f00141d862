/**
 * The driver side of virtio-scsi: a guest that owns memory, builds rings and checks every answer.
 */
@NullMarked
package dev.quiesce.testkit.guest;

import org.jspecify.annotations.NullMarked;
