/**
 * The virtio-scsi device from the guest's side: the mock guest against the real device, bus, disk,
 * backend and graph, on machines without threads.
 */
@NullMarked
package dev.quiesce.verification.virtioscsi;

import org.jspecify.annotations.NullMarked;
