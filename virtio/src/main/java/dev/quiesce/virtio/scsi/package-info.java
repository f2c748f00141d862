/**
 * The virtio-scsi host adapter: control, event and request queues.
 */
@NullMarked
package dev.quiesce.virtio.scsi;

import org.jspecify.annotations.NullMarked;
