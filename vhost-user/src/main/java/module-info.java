/**
 * Serves virtio devices to other processes by the vhost-user protocol.
 */
module dev.quiesce.vhostuser {
    requires transitive dev.quiesce.core;
    requires transitive dev.quiesce.virtio;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;

    requires org.newsclub.net.unix;
    // Found by the one above at run time, if it is there.
    requires com.kohlschutter.junixsocket.nativecommon;
    requires org.slf4j;

    exports dev.quiesce.vhostuser;
    exports dev.quiesce.vhostuser.inflight;
}
