/**
 * The other side of every seam: deterministic scheduler, virtual clock, fault drivers, mock guest.
 */
module dev.quiesce.testkit {
    requires transitive dev.quiesce.virtio;

    exports dev.quiesce.testkit;

    requires static org.jspecify;
}
