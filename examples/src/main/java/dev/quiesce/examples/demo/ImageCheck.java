package dev.quiesce.examples.demo;

import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestScsi;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads a whole disk through the request queues, several commands at a time, and digests it in
 * order.
 *
 * <p>Confined to the guest.
 */
final class ImageCheck implements AutoCloseable {
    private static final int CHUNK_BYTES = 256 * 1024;
    private static final long LIMIT_NANOS = 60_000_000_000L;

    private final GuestScsi driver;
    private final GuestMachine machine;
    private final BooleanSupplier stopWanted;
    private final Slot[] slots;
    private @Nullable String failure;

    ImageCheck(GuestScsi driver, GuestMachine machine, int commands, BooleanSupplier stopWanted) {
        this.driver = driver;
        this.machine = machine;
        this.stopWanted = stopWanted;
        slots = new Slot[commands];
        for (int i = 0; i < commands; i++) {
            slots[i] = new Slot();
        }
    }

    /** Guest memory that the check needs. */
    static int ramBytes(int commands) {
        return commands * (CHUNK_BYTES + 8192);
    }

    /**
     * The digest of the first bytes of a disk; of fewer if it was told to stop.
     *
     * @throws IllegalStateException if a read fails
     */
    byte[] sha256(FoundDisk disk, long bytes) {
        MessageDigest digest = newDigest();
        long next = 0;
        long requested = 0;
        int turn = 0;
        while (next < bytes && !stopWanted.getAsBoolean()) {
            for (int i = 0; i < slots.length && requested < disk.lengthBytes(); i++) {
                Slot slot = slots[(turn + i) % slots.length];
                if (slot.isFree()) {
                    requested = slot.read(disk, requested, (turn + i) % driver.requestQueues());
                }
            }
            driver.kick();
            Slot due = slots[turn % slots.length];
            if (!machine.await(driver, () -> !due.command.isOutstanding(), LIMIT_NANOS)) {
                throw new IllegalStateException("no answer: " + due.command);
            }
            next += due.digest(digest, bytes - next);
            if (failure != null) {
                throw new IllegalStateException(failure);
            }
            turn++;
        }
        machine.await(driver, () -> driver.outstanding() == 0, LIMIT_NANOS);
        return digest.digest();
    }

    @Override
    public void close() {
        for (Slot slot : slots) {
            driver.free(slot.command);
            driver.ram().free(slot.buffer);
        }
    }

    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /**
     * One command with its buffer. The slots are used in turn, so the oldest is always the next
     * due.
     */
    private final class Slot {
        private final GuestCommand command = driver.newCommand(null);
        private final long buffer = driver.ram().allocate(CHUNK_BYTES, 4096);
        private int length;

        boolean isFree() {
            return length == 0;
        }

        /** Submits the next read; returns where the one after begins. */
        long read(FoundDisk disk, long offset, int queue) {
            length = (int) Math.min(CHUNK_BYTES, disk.lengthBytes() - offset);
            int block = disk.blockSizeBytes();
            command.cdb(disk.target(), disk.lun(), GuestCdb.read16(offset / block, length / block))
                    .dataIn(buffer, length);
            if (!driver.submit(queue, command)) {
                length = 0;
                return offset;
            }
            return offset + length;
        }

        int digest(MessageDigest digest, long limit) {
            if (!command.isGood() || command.residualBytes() != 0) {
                failure = "read failed: " + command;
            }
            int counted = (int) Math.min(length, limit);
            digest.update(driver.ram().read(buffer, counted));
            length = 0;
            return counted;
        }
    }
}
