/**
 * The SCSI bus, its request lists, and disks on a block backend.
 */
module dev.quiesce.scsi {
    requires transitive dev.quiesce.core;
    requires static org.jspecify;

    exports dev.quiesce.scsi.spec;
}
