package dev.quiesce.vhostuser;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The payloads of messages as values (VHU-5). Numbers are the front end's: nothing is judged. */
final class Payload {
    private static final long U8 = 0xFF;

    private Payload() {
    }

    /**
     * The regions of SET_MEM_TABLE: their number u32, padding u32, the regions. User-Mode Linux
     * always sends room for two.
     */
    static List<Region> regions(ByteBuffer from) throws Violation {
        int count = from.getInt();
        from.getInt();
        if (count < 0 || count > from.remaining() / Region.BYTES) {
            throw Violation.ofStream(Integer.toUnsignedString(count) + " regions in "
                    + from.remaining() + " bytes");
        }
        List<Region> regions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            regions.add(Region.decode(from));
        }
        return regions;
    }

    /** The region of ADD_MEM_REG and REM_MEM_REG, behind eight bytes of padding. */
    static Region singleRegion(ByteBuffer from) {
        from.getLong();
        return Region.decode(from);
    }

    /**
     * A number that belongs to a ring.
     *
     * @param index the queue
     * @param num size, base, or whether enabled
     */
    record VringState(int index, int num) {
        static final int BYTES = 8;

        static VringState decode(ByteBuffer from) {
            return new VringState(from.getInt(), from.getInt());
        }

        void encode(ByteBuffer to) {
            to.putInt(index).putInt(num);
        }
    }

    /**
     * Where a ring lies, in addresses of the front end's process.
     *
     * @param index the queue
     * @param flags bit 0: log writes to the used ring
     * @param descriptors user address of the descriptor table
     * @param used user address of the used ring
     * @param avail user address of the available ring
     * @param log guest address for the log, noise unless flagged
     */
    record VringAddress(int index, int flags, long descriptors, long used, long avail, long log) {
        static final int BYTES = 40;

        static VringAddress decode(ByteBuffer from) {
            return new VringAddress(from.getInt(), from.getInt(), from.getLong(), from.getLong(),
                    from.getLong(), from.getLong());
        }

        void encode(ByteBuffer to) {
            to.putInt(index).putInt(flags).putLong(descriptors).putLong(used).putLong(avail)
                    .putLong(log);
        }

        /** Whether both say the same about where the ring is. */
        boolean isSamePlace(VringAddress other) {
            return descriptors == other.descriptors && used == other.used && avail == other.avail;
        }
    }

    /**
     * A ring and whether a descriptor comes with the message: requests 12 to 14.
     *
     * @param index the queue, 0 to 255
     * @param hasDescriptor false if bit 8 says that there is none
     */
    record VringDescriptor(int index, boolean hasDescriptor) {
        static final long NO_DESCRIPTOR = 1 << 8;

        static VringDescriptor decode(ByteBuffer from) {
            long value = from.getLong();
            return new VringDescriptor((int) (value & U8), (value & NO_DESCRIPTOR) == 0);
        }
    }

    /**
     * A stretch of the guest's memory.
     *
     * @param guestAddress guest-physical address of its first byte
     * @param sizeBytes length
     * @param userAddress the same byte in the front end's process
     * @param fileOffset where it begins in the file whose descriptor came along
     */
    record Region(long guestAddress, long sizeBytes, long userAddress, long fileOffset) {
        static final int BYTES = 32;

        static Region decode(ByteBuffer from) {
            return new Region(from.getLong(), from.getLong(), from.getLong(), from.getLong());
        }

        void encode(ByteBuffer to) {
            to.putLong(guestAddress).putLong(sizeBytes).putLong(userAddress).putLong(fileOffset);
        }

        /** Whether both name the same memory, wherever it lies in a file (VHU-13). */
        boolean isSameMemory(Region other) {
            return guestAddress == other.guestAddress && sizeBytes == other.sizeBytes
                    && userAddress == other.userAddress;
        }

        @Override
        public String toString() {
            return String.format("%#x+%#x at user address %#x, file offset %#x",
                    guestAddress, sizeBytes, userAddress, fileOffset);
        }
    }

    /**
     * The buffer for what is in flight.
     *
     * @param sizeBytes how much of the file belongs to it
     * @param fileOffset where it begins in the file
     * @param queues how many queues it is for, 0 to 65535
     * @param entries the largest ring it is for, 0 to 65535
     */
    record Inflight(long sizeBytes, long fileOffset, int queues, int entries) {
        static final int BYTES = 20;

        /** As compilers lay it out; front ends want back as much as they sent. */
        static final int PADDED_BYTES = 24;

        static Inflight decode(ByteBuffer from) {
            return new Inflight(from.getLong(), from.getLong(),
                    Short.toUnsignedInt(from.getShort()), Short.toUnsignedInt(from.getShort()));
        }

        void encode(ByteBuffer to) {
            to.putLong(sizeBytes).putLong(fileOffset)
                    .putShort((short) queues).putShort((short) entries);
        }
    }

    /**
     * A slice of the configuration space.
     *
     * @param offsetBytes first byte
     * @param sizeBytes how many
     * @param flags as the front end sent them
     * @param bytes the bytes that came, for SET_CONFIG what to write
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared, and nobody else has the array
    record Config(int offsetBytes, int sizeBytes, int flags, byte[] bytes) {
        static final int HEADER_BYTES = 12;
        static final int BYTES_MAX = HEADER_BYTES + 256;

        static Config decode(ByteBuffer from) {
            int offset = from.getInt();
            int size = from.getInt();
            int flags = from.getInt();
            byte[] bytes = new byte[from.remaining()];
            from.get(bytes);
            return new Config(offset, size, flags, bytes);
        }

        void encode(ByteBuffer to) {
            to.putInt(offsetBytes).putInt(sizeBytes).putInt(flags).put(bytes);
        }

        /** Whether offset, size and the bytes that came fit a space of so many bytes. */
        boolean fits(int spaceBytes) {
            return offsetBytes >= 0 && sizeBytes > 0 && sizeBytes <= spaceBytes
                    && offsetBytes <= spaceBytes - sizeBytes && bytes.length == sizeBytes;
        }

        @Override
        public String toString() {
            return "config " + offsetBytes + "+" + sizeBytes + " flags " + flags + " "
                    + Arrays.toString(bytes);
        }
    }
}
