package dev.quiesce.driver.file;

import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Writes stamped sectors round and round, and says which stamps a flush has acknowledged. */
final class KilledWriter {
    static final int SECTORS = 512;
    static final int SECTOR_BYTES = 512;
    /** A line that is shorter was cut off by the kill. */
    static final int DIGITS = 12;
    private static final int WRITES_PER_FLUSH = 100;

    private KilledWriter() {
    }

    public static void main(String[] arguments) throws Exception {
        FileDriver driver = FileDriver.open(FileConfig.writable(Path.of(arguments[0])));
        try (Rig rig = new Rig(TestNode.of(driver))) {
            for (long stamp = 0; ; stamp++) {
                if (!rig.write(stamp % SECTORS * SECTOR_BYTES, sector(stamp)).isOk()) {
                    return;
                }
                if (stamp % WRITES_PER_FLUSH == WRITES_PER_FLUSH - 1 && rig.flush().isOk()) {
                    System.out.println(String.format("%0" + DIGITS + "d", stamp));
                }
            }
        }
    }

    static byte[] sector(long stamp) {
        ByteBuffer sector = ByteBuffer.allocate(SECTOR_BYTES);
        while (sector.hasRemaining()) {
            sector.putLong(stamp);
        }
        return sector.array();
    }
}
