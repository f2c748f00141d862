/**
 * The other side of every seam: deterministic scheduler, virtual clock, fault drivers, mock guest.
 */
module dev.quiesce.testkit {
    requires transitive dev.quiesce.virtio;
    requires static org.jspecify;

    exports dev.quiesce.testkit;
    exports dev.quiesce.testkit.guest;
}
