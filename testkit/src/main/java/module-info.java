/**
 * The other side of every seam: deterministic scheduler, virtual clock, fault drivers, mock guest.
 */
module dev.quiesce.testkit {
    requires transitive dev.quiesce.virtio;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;

    exports dev.quiesce.testkit;
    exports dev.quiesce.testkit.channel;
    exports dev.quiesce.testkit.guest;
}
