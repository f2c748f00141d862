/**
 * The SCSI bus, its request lists, and disks on a block backend.
 */
module dev.quiesce.scsi {
    requires transitive dev.quiesce.core;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;

    exports dev.quiesce.scsi;
    exports dev.quiesce.scsi.disk;
    exports dev.quiesce.scsi.spec;
}
