/**
 * Virtqueues, and virtio-scsi served on event loops.
 */
module dev.quiesce.virtio {
    requires transitive dev.quiesce.core;
    requires transitive dev.quiesce.scsi;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;

    requires org.slf4j;

    exports dev.quiesce.virtio.dataplane;
    exports dev.quiesce.virtio.device;
    exports dev.quiesce.virtio.memory;
    exports dev.quiesce.virtio.queue;
    exports dev.quiesce.virtio.scsi;
}
