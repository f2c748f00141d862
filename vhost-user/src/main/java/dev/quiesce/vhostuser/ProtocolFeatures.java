package dev.quiesce.vhostuser;

/** Feature bits of the protocol itself (VHU-8), and those of the device that belong to it. */
final class ProtocolFeatures {
    /** Device feature bit: protocol features can be negotiated, rings wait for ENABLE. */
    static final long DEVICE_BIT = 1L << 30;

    static final long MQ = 1L;
    static final long REPLY_ACK = 1L << 3;
    static final long BACKEND_REQ = 1L << 5;
    static final long CONFIG = 1L << 9;
    static final long INFLIGHT_SHMFD = 1L << 12;
    static final long RESET_DEVICE = 1L << 13;
    static final long CONFIGURE_MEM_SLOTS = 1L << 15;

    static final long OFFERED =
            MQ | REPLY_ACK | BACKEND_REQ | CONFIG | INFLIGHT_SHMFD | RESET_DEVICE
                    | CONFIGURE_MEM_SLOTS;

    /**
     * Device features that front ends offer their guests without asking and that change nothing
     * here (VHU-37): virtio-scsi's CHANGE and the legacy NOTIFY_ON_EMPTY and ANY_LAYOUT.
     */
    static final long TOLERATED = 1L << 2 | 1L << 24 | 1L << 27;

    private ProtocolFeatures() {
    }
}
