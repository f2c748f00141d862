package dev.quiesce.testkit.guest;

import dev.quiesce.scsi.spec.Sense;
import java.util.concurrent.CompletionStage;

/**
 * One command at a time, waiting for each answer: what a guest does while it probes its disks.
 *
 * <p>Confined to the thread that runs the guest. Unit attentions are swallowed and the command
 * repeated, as Linux does.
 */
public final class GuestSession implements AutoCloseable {
    private static final int REPEATS_MAX = 8;

    private final GuestScsi driver;
    private final GuestMachine machine;
    private final long limitNanos;
    private final GuestCommand command;
    private final long buffer;
    private final int bufferBytes;

    /**
     * Makes a session with a buffer of its own.
     *
     * @param driver the driver, which runs
     * @param machine how to wait
     * @param bufferBytes largest data phase
     * @param limitNanos how long an answer may take
     */
    public GuestSession(GuestScsi driver, GuestMachine machine, int bufferBytes, long limitNanos) {
        this.driver = driver;
        this.machine = machine;
        this.limitNanos = limitNanos;
        this.bufferBytes = bufferBytes;
        command = driver.newCommand(null);
        buffer = driver.ram().allocate(bufferBytes, 4096);
    }

    /**
     * Brings the device up and waits for it.
     *
     * @param driver the driver
     * @param machine how to wait
     * @param limitNanos how long it may take
     * @throws IllegalStateException if the device refuses or does not answer
     */
    public static void begin(GuestScsi driver, GuestMachine machine, long limitNanos) {
        CompletionStage<Boolean> up = driver.begin();
        if (!machine.await(driver, up, limitNanos)) {
            throw new IllegalStateException("the device does not come up");
        }
        if (!up.toCompletableFuture().join()) {
            throw new IllegalStateException("the device refuses the driver");
        }
    }

    /**
     * Reads data from the device.
     *
     * @param target the target
     * @param lun the logical unit
     * @param cdb the command
     * @param bytes size of the buffer offered
     * @return the bytes that were moved; ask {@link #answer()} how it went
     * @throws IllegalStateException if no answer comes
     */
    public byte[] read(int target, int lun, byte[] cdb, int bytes) {
        checkFits(bytes);
        run(() -> command.cdb(target, lun, cdb).dataIn(buffer, bytes));
        int moved = command.response() == GuestCommand.RESPONSE_OK
                ? Math.max(0, bytes - command.residualBytes()) : 0;
        return driver.ram().read(buffer, moved);
    }

    /**
     * Sends data to the device.
     *
     * @param target the target
     * @param lun the logical unit
     * @param cdb the command
     * @param data what to send
     * @return the command with its answer
     * @throws IllegalStateException if no answer comes
     */
    public GuestCommand write(int target, int lun, byte[] cdb, byte[] data) {
        checkFits(data.length);
        driver.ram().write(buffer, data);
        run(() -> command.cdb(target, lun, cdb).dataOut(buffer, data.length));
        return command;
    }

    /**
     * Runs a command without data.
     *
     * @param target the target
     * @param lun the logical unit
     * @param cdb the command
     * @return the command with its answer
     * @throws IllegalStateException if no answer comes
     */
    public GuestCommand execute(int target, int lun, byte[] cdb) {
        run(() -> command.cdb(target, lun, cdb));
        return command;
    }

    /**
     * How the last command ended.
     *
     * @return the command with its answer
     */
    public GuestCommand answer() {
        return command;
    }

    /** Gives the buffers back. */
    @Override
    public void close() {
        driver.free(command);
        driver.ram().free(buffer);
    }

    private void run(Runnable prepare) {
        for (int repeats = 0; repeats < REPEATS_MAX; repeats++) {
            prepare.run();
            if (!driver.submit(0, command)) {
                throw new IllegalStateException("the ring is full");
            }
            driver.kick();
            if (!machine.await(driver, () -> !command.isOutstanding(), limitNanos)) {
                throw new IllegalStateException("no answer: " + command);
            }
            if (!isUnitAttention()) {
                return;
            }
        }
    }

    private boolean isUnitAttention() {
        Sense sense = command.sense();
        return command.response() == GuestCommand.RESPONSE_OK && sense.isUnitAttention();
    }

    private void checkFits(int bytes) {
        if (bytes > bufferBytes) {
            throw new IllegalArgumentException(
                    bytes + " bytes do not fit the session's buffer of " + bufferBytes);
        }
    }
}
