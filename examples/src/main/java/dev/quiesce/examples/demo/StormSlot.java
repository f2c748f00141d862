package dev.quiesce.examples.demo;

import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One command in flight of the storm, with its buffer and what its answer must mean for the
 * content.
 *
 * <p>Confined to the guest.
 */
final class StormSlot {
    static final int BLOCKS_MAX = 16;
    static final int DATA_BYTES = BLOCKS_MAX * DiskContent.BLOCK_BYTES;

    private static final int RESPONSE_ABORTED = 2;
    private static final int RESPONSE_BAD_TARGET = 3;
    private static final int RESPONSE_RESET = 4;
    private static final int CLAIMS_MAX = 8;

    private final GuestStorm storm;
    private final GuestScsi driver;
    private final List<StormDisk> disks;
    private final int queue;
    private final GuestCommand command;
    private final long buffer;
    private final byte[] bytes = new byte[DATA_BYTES];
    private StormDisk disk;
    private StormOperation operation = StormOperation.READ;
    private int firstBlock;
    private int blocks;
    private int dataBytes;
    private long stamp;

    StormSlot(GuestStorm storm, GuestScsi driver, List<StormDisk> disks, int queue) {
        this.storm = storm;
        this.driver = driver;
        this.disks = disks;
        this.queue = queue;
        disk = disks.get(0);
        command = driver.newCommand(this::onAnswered);
        buffer = driver.ram().allocate(DATA_BYTES, 4096);
    }

    GuestCommand command() {
        return command;
    }

    boolean submitIfFree(SplittableRandom random) {
        if (command.isOutstanding() || !choose(random)) {
            return false;
        }
        prepare(random);
        if (!driver.submit(queue, command)) {
            disk.content().release(firstBlock, blocks);
            return false;
        }
        return true;
    }

    void close() {
        driver.free(command);
        driver.ram().free(buffer);
    }

    /** Chooses a command and a range that no other command of the guest is using. */
    private boolean choose(SplittableRandom random) {
        disk = disks.get(random.nextInt(disks.size()));
        DiskContent content = disk.content();
        operation = StormOperation.choose(random);
        for (int i = 0; i < CLAIMS_MAX; i++) {
            firstBlock = random.nextInt(content.blocks());
            blocks = 1 + random.nextInt(
                    Math.min(BLOCKS_MAX, content.blocksTogether(firstBlock)));
            if (operation == StormOperation.FLUSH) {
                blocks = 0;
                return true;
            }
            if (content.claim(firstBlock, blocks)) {
                return true;
            }
        }
        return false;
    }

    private void prepare(SplittableRandom random) {
        int bytesOnDisk = disk.content().bytes(firstBlock, blocks);
        long lba = disk.content().offsetBytes(firstBlock) / disk.disk().blockSizeBytes();
        int sectors = bytesOnDisk / disk.disk().blockSizeBytes();
        long serial = random.nextLong() >>> 4;
        switch (operation) {
            case READ -> data(GuestCdb.read16(lba, sectors), bytesOnDisk);
            case WRITE -> {
                stamp = DiskContent.writeStamp(serial);
                DiskContent.pattern(stamp, bytes, 0, bytesOnDisk);
                data(GuestCdb.write16(lba, sectors, false), bytesOnDisk);
            }
            case WRITE_SAME -> {
                boolean zero = (serial & 1) == 0;
                stamp = zero ? DiskContent.ZERO : DiskContent.repeatingStamp(serial);
                DiskContent.pattern(stamp, bytes, 0, disk.disk().blockSizeBytes());
                data(GuestCdb.writeSame16(lba, sectors, zero), disk.disk().blockSizeBytes());
            }
            case UNMAP -> {
                stamp = DiskContent.ZERO;
                byte[] list = GuestCdb.unmapList(lba, sectors);
                System.arraycopy(list, 0, bytes, 0, list.length);
                data(GuestCdb.unmap(list.length), list.length);
            }
            case FLUSH -> data(GuestCdb.synchronizeCache10(), 0);
        }
    }

    private void data(byte[] cdb, int length) {
        dataBytes = length;
        command.cdb(disk.disk().target(), disk.disk().lun(), cdb);
        if (operation == StormOperation.READ) {
            command.dataIn(buffer, length);
            driver.ram().fill(buffer, length, 0x5A); // What is not moved must not look right.
        } else {
            command.dataOut(buffer, length);
            driver.ram().write(buffer, length == bytes.length ? bytes : copy(length));
        }
    }

    private byte[] copy(int length) {
        return java.util.Arrays.copyOf(bytes, length);
    }

    private void onAnswered(GuestCommand answered) {
        DiskContent content = disk.content();
        if (answered.isGood()) {
            succeeded(content);
        } else if (mayHaveRun(answered)) {
            if (operation.changesContent()) {
                content.perhapsReplaced(firstBlock, blocks, stamp);
            }
        } else if (!didNotRun(answered)) {
            storm.mismatch("unexpected answer: " + answered);
        }
        content.release(firstBlock, blocks);
        storm.answered(answered, answered.isGood() ? content.bytes(firstBlock, blocks) : 0);
    }

    private void succeeded(DiskContent content) {
        if (command.residualBytes() != 0) {
            storm.mismatch("residual of " + command.residualBytes() + " bytes: " + command);
        }
        if (operation.changesContent()) {
            content.replaced(firstBlock, blocks, stamp);
        } else if (operation == StormOperation.READ) {
            verify(content);
        }
    }

    private void verify(DiskContent content) {
        try {
            byte[] read = driver.ram().read(buffer, dataBytes);
            int at = content.firstMismatch(firstBlock, blocks, read);
            if (at >= 0) {
                int block = firstBlock + at / DiskContent.BLOCK_BYTES;
                storm.mismatch("byte " + (content.offsetBytes(firstBlock) + at) + " differs, "
                        + content.describe(block) + ": " + command);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Cancelled on the way: nothing, part or all of it may have been applied. */
    private static boolean mayHaveRun(GuestCommand answered) {
        return switch (answered.response()) {
            case RESPONSE_ABORTED, RESPONSE_RESET, RESPONSE_BAD_TARGET -> true;
            default -> false;
        };
    }

    /** Refused before it began: a unit attention, or the disk is not there. */
    private static boolean didNotRun(GuestCommand answered) {
        Sense sense = answered.sense();
        return answered.response() == GuestCommand.RESPONSE_OK
                && (sense.isUnitAttention() || sense.equals(Sense.LUN_NOT_SUPPORTED));
    }
}
