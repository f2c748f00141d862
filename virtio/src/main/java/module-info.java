/**
 * Virtqueues, and virtio-scsi served on event loops.
 */
module dev.quiesce.virtio {
    requires transitive dev.quiesce.core;
    requires transitive dev.quiesce.scsi;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;

    exports dev.quiesce.virtio.memory;
    exports dev.quiesce.virtio.queue;
}
