/**
 * Virtqueues, and virtio-scsi served on event loops.
 */
module dev.quiesce.virtio {
    requires transitive dev.quiesce.core;
    requires transitive dev.quiesce.scsi;
    requires static org.jspecify;

    exports dev.quiesce.virtio.memory;
    exports dev.quiesce.virtio.queue;
}
