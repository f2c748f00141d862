package dev.quiesce.verification.virtioscsi;

import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A guest, for a process of its own, that writes stamped chunks round and round through virtio-scsi
 * to an image on the host, and prints which stamps SYNCHRONIZE CACHE has acknowledged, until it is
 * killed or a write fails. Target 0 is a disk in memory, target 1 the image.
 */
final class StampedGuest {
    static final int CHUNKS = 256;
    static final int BLOCKS = 64;
    static final int CHUNK_BYTES = BLOCKS * 512;
    static final int IMAGE_BYTES = CHUNKS * CHUNK_BYTES;
    static final String ACKNOWLEDGED = "acknowledged ";
    static final String FAILED = "failed ";
    static final String READ_BACK = "read back ";
    static final String OTHER_DISK = "other disk ";
    private static final int WRITES_PER_FLUSH = 10;

    private StampedGuest() {
    }

    /** Runs until something ends it. */
    public static void main(String[] arguments) throws IOException {
        FileDriver image = FileDriver.open(FileConfig.writable(Path.of(arguments[0])));
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.plug(machine.newDisk(image), new ScsiAddress(1, 0));
            machine.begun();
            try (GuestSession session = machine.session()) {
                long acknowledged = writeUntilItFails(session);
                System.out.println(READ_BACK + countReadBack(session, acknowledged));
                GuestCommand other = session.write(
                        0, 0, GuestCdb.write10(0, BLOCKS, true), chunk(1));
                System.out.println(OTHER_DISK + (other.isGood() ? "good" : other.sense()));
            }
        }
    }

    /** The chunk that a stamp stands for. */
    static byte[] chunk(long stamp) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        while (chunk.hasRemaining()) {
            chunk.putLong(stamp);
        }
        return chunk.array();
    }

    static long offsetBytes(long stamp) {
        return stamp % CHUNKS * CHUNK_BYTES;
    }

    /** Returns the last stamp that a flush has acknowledged. */
    private static long writeUntilItFails(GuestSession session) {
        long acknowledged = 0;
        for (long stamp = 1; ; stamp++) {
            GuestCommand write = session.write(
                    1, 0, GuestCdb.write10(block(stamp), BLOCKS, false), chunk(stamp));
            if (!write.isGood()) {
                System.out.println(FAILED + write.sense());
                return acknowledged;
            }
            if (stamp % WRITES_PER_FLUSH == 0
                    && session.execute(1, 0, GuestCdb.synchronizeCache10()).isGood()) {
                acknowledged = stamp;
                System.out.println(ACKNOWLEDGED + stamp + ".");
            }
        }
    }

    /** How many of the acknowledged chunks the guest reads as it wrote them, or later ones. */
    private static long countReadBack(GuestSession session, long acknowledged) {
        long right = 0;
        for (long stamp = oldest(acknowledged); stamp <= acknowledged; stamp++) {
            byte[] read = session.read(
                    1, 0, GuestCdb.read10(block(stamp), BLOCKS), CHUNK_BYTES);
            right += holds(read, stamp) ? 1 : 0;
        }
        return right;
    }

    /** The oldest stamp that nothing acknowledged has replaced. */
    static long oldest(long acknowledged) {
        return Math.max(1, acknowledged - CHUNKS + 1);
    }

    /** Whether a chunk is whole, and of that stamp or a later one in the same place. */
    static boolean holds(byte[] read, long stamp) {
        if (read.length != CHUNK_BYTES) {
            return false;
        }
        long found = ByteBuffer.wrap(read).getLong();
        return found >= stamp && found % CHUNKS == stamp % CHUNKS
                && Arrays.equals(read, chunk(found));
    }

    /**
     * Whether nothing of a chunk is lost that a flush has acknowledged, when the guest was stopped
     * at any moment after the flush of the last stamp that it told: until the next one it may have
     * begun to write what comes next in the same place.
     */
    static boolean survives(byte[] read, long stamp, long acknowledged) {
        long next = stamp + CHUNKS;
        boolean mayHaveBegun = next <= acknowledged + WRITES_PER_FLUSH;
        LongBuffer found = ByteBuffer.wrap(read).asLongBuffer();
        while (found.hasRemaining()) {
            long each = found.get();
            if (each != stamp && !(mayHaveBegun && each == next)) {
                return false;
            }
        }
        return read.length == CHUNK_BYTES;
    }

    private static int block(long stamp) {
        return (int) (offsetBytes(stamp) / 512);
    }
}
