package dev.quiesce.vhostuser;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a front end that this back end serves, with the bounds that the framing holds
 * them to (VHU-2, VHU-3).
 */
enum Request {
    GET_FEATURES(1, 0, 0, 0),
    SET_FEATURES(2, Long.BYTES, Long.BYTES, 0),
    SET_OWNER(3, 0, 0, 0),
    RESET_OWNER(4, 0, 0, 0),
    SET_MEM_TABLE(5, 8, 8 + 8 * Payload.Region.BYTES, 8),
    SET_VRING_NUM(8, Payload.VringState.BYTES, Payload.VringState.BYTES, 0),
    SET_VRING_ADDR(9, Payload.VringAddress.BYTES, Payload.VringAddress.BYTES, 0),
    SET_VRING_BASE(10, Payload.VringState.BYTES, Payload.VringState.BYTES, 0),
    GET_VRING_BASE(11, Payload.VringState.BYTES, Payload.VringState.BYTES, 0),
    SET_VRING_KICK(12, Long.BYTES, Long.BYTES, 1),
    SET_VRING_CALL(13, Long.BYTES, Long.BYTES, 1),
    SET_VRING_ERR(14, Long.BYTES, Long.BYTES, 1),
    GET_PROTOCOL_FEATURES(15, 0, 0, 0),
    SET_PROTOCOL_FEATURES(16, Long.BYTES, Long.BYTES, 0),
    GET_QUEUE_NUM(17, 0, 0, 0),
    SET_VRING_ENABLE(18, Payload.VringState.BYTES, Payload.VringState.BYTES, 0),
    SET_BACKEND_REQ_FD(21, 0, Long.BYTES, 1),
    GET_CONFIG(24, Payload.Config.HEADER_BYTES, Payload.Config.BYTES_MAX, 0),
    SET_CONFIG(25, Payload.Config.HEADER_BYTES, Payload.Config.BYTES_MAX, 0),
    GET_INFLIGHT_FD(31, Payload.Inflight.BYTES, Payload.Inflight.PADDED_BYTES, 0),
    SET_INFLIGHT_FD(32, Payload.Inflight.BYTES, Payload.Inflight.PADDED_BYTES, 1),
    RESET_DEVICE(34, 0, 0, 0),
    GET_MAX_MEM_SLOTS(36, 0, 0, 0),
    ADD_MEM_REG(37, 8 + Payload.Region.BYTES, 8 + Payload.Region.BYTES, 1),
    REM_MEM_REG(38, 8 + Payload.Region.BYTES, 8 + Payload.Region.BYTES, 1);

    /** Largest payload of a request that is not known here: it is read and forgotten. */
    static final int UNKNOWN_BYTES_MAX = 4096;

    private static final Map<Integer, Request> BY_ID = new HashMap<>();

    static {
        for (Request request : values()) {
            BY_ID.put(request.id, request);
        }
    }

    private final int id;
    private final int bytesMin;
    private final int bytesMax;
    private final int descriptorsMax;

    Request(int id, int bytesMin, int bytesMax, int descriptorsMax) {
        this.id = id;
        this.bytesMin = bytesMin;
        this.bytesMax = bytesMax;
        this.descriptorsMax = descriptorsMax;
    }

    static @Nullable Request of(int id) {
        return BY_ID.get(id);
    }

    int id() {
        return id;
    }

    boolean allowsBytes(int count) {
        return count >= bytesMin && count <= bytesMax;
    }

    /** How many descriptors may be of use; more are closed unseen. */
    int descriptorsMax() {
        return descriptorsMax;
    }

    /** Whether the request has an answer of its own, so that it is not acknowledged (VHU-6). */
    boolean hasReply() {
        return switch (this) {
            case GET_FEATURES, GET_PROTOCOL_FEATURES, GET_QUEUE_NUM, GET_VRING_BASE, GET_CONFIG,
                    GET_INFLIGHT_FD, GET_MAX_MEM_SLOTS -> true;
            default -> false;
        };
    }

    /**
     * Whether a request that is not served here has an answer of its own: the front end would wait
     * for it for ever, so its connection has to end (VHU-7).
     */
    static boolean expectsReply(int id) {
        return switch (id) {
            case 6, 22, 40, 41, 42, 43 -> true;
            default -> false;
        };
    }
}
