package dev.quiesce.vhostuser;

import java.nio.ByteBuffer;

/**
 * The twelve bytes before every message, in host byte order (VHU-1).
 *
 * <pre>
 * 0 request u32   4 flags u32 (bits 0-1 version, 2 reply, 3 need_reply)   8 size of payload u32
 * </pre>
 *
 * @param request the number of the request
 * @param flags version and flag bits
 * @param sizeBytes length of the payload, unsigned
 */
record MessageHeader(int request, int flags, int sizeBytes) {
    static final int BYTES = 12;
    static final int VERSION = 1;
    static final int REPLY = 1 << 2;
    static final int NEED_REPLY = 1 << 3;

    private static final int VERSION_MASK = 3;

    /** Takes a header from a buffer in host byte order. */
    static MessageHeader decode(ByteBuffer from) {
        return new MessageHeader(from.getInt(), from.getInt(), from.getInt());
    }

    static MessageHeader reply(int request, int sizeBytes) {
        return new MessageHeader(request, VERSION | REPLY, sizeBytes);
    }

    void encode(ByteBuffer to) {
        to.putInt(request).putInt(flags).putInt(sizeBytes);
    }

    boolean needsReply() {
        return (flags & NEED_REPLY) != 0;
    }

    /**
     * Judges the header alone, before its payload is read.
     *
     * @throws Violation if the version is not 1, it is a reply, or the payload is longer than any
     *     for this request
     */
    void check() throws Violation {
        if ((flags & VERSION_MASK) != VERSION) {
            throw Violation.ofStream("version " + (flags & VERSION_MASK) + " of the protocol");
        }
        if ((flags & REPLY) != 0) {
            throw Violation.ofStream("a reply to nothing, request " + request);
        }
        Request known = Request.of(request);
        boolean fits = known == null
                ? sizeBytes >= 0 && sizeBytes <= Request.UNKNOWN_BYTES_MAX
                : known.allowsBytes(sizeBytes);
        if (!fits) {
            throw Violation.ofStream((known == null ? "request " + request : known)
                    + " with a payload of " + Integer.toUnsignedString(sizeBytes) + " bytes");
        }
    }
}
