package dev.quiesce.testkit.guest;

import dev.quiesce.scsi.spec.Sense;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One SCSI command of the guest's driver: what it asks, where its buffers are in guest memory, and
 * how it was answered. Re-usable; confined to the vCPU.
 */
public final class GuestCommand {
    /** The response arrived and says that the command was executed. */
    public static final int RESPONSE_OK = 0;
    /** No response has arrived. */
    public static final int RESPONSE_NONE = -1;

    static final int SENSE_SIZE = 96;
    static final int CDB_SIZE = 32;
    static final int REQUEST_BYTES = 19 + CDB_SIZE;
    static final int RESPONSE_BYTES = 12 + SENSE_SIZE;

    private final byte[] cdb = new byte[CDB_SIZE];
    private final long headerAddress;
    private final long responseAddress;
    private final @Nullable Listener listener;
    private long tag;
    private int target;
    private int lun;
    private int queue;
    private long dataAddress;
    private int dataBytes;
    private int pieceBytes = Integer.MAX_VALUE;
    private boolean dataToDevice;
    private long submittedNanos;
    private boolean outstanding;
    private int response = RESPONSE_NONE;
    private int status;
    private int residualBytes;
    private byte[] sense = new byte[0];

    GuestCommand(GuestRam ram, @Nullable Listener listener) {
        headerAddress = ram.allocate(REQUEST_BYTES, 64);
        responseAddress = ram.allocate(RESPONSE_BYTES, 64);
        this.listener = listener;
    }

    /**
     * Says what to do.
     *
     * @param atTarget the target, 0..255
     * @param atLun the logical unit
     * @param bytes the CDB, at most 32 bytes
     * @return this
     */
    public GuestCommand cdb(int atTarget, int atLun, byte[] bytes) {
        checkIdle();
        target = atTarget;
        lun = atLun;
        Arrays.fill(cdb, (byte) 0);
        System.arraycopy(bytes, 0, cdb, 0, bytes.length);
        dataBytes = 0;
        pieceBytes = Integer.MAX_VALUE;
        return this;
    }

    /**
     * Gives a buffer for data from the device.
     *
     * @param address in guest memory
     * @param bytes its length; 0 for none
     * @return this
     */
    public GuestCommand dataIn(long address, int bytes) {
        return data(address, bytes, false);
    }

    /**
     * Gives a buffer with data for the device.
     *
     * @param address in guest memory
     * @param bytes its length; 0 for none
     * @return this
     */
    public GuestCommand dataOut(long address, int bytes) {
        return data(address, bytes, true);
    }

    /**
     * Describes the data buffer by several descriptors, as a driver whose pages are scattered does.
     *
     * @param bytes length of each but the last, above 0
     * @return this
     */
    public GuestCommand inPieces(int bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("pieces of " + bytes + " bytes");
        }
        pieceBytes = bytes;
        return this;
    }

    /**
     * The tag of the last submission.
     *
     * @return unique among all commands of the driver
     */
    public long tag() {
        return tag;
    }

    /**
     * The queue of the last submission.
     *
     * @return number of the request queue
     */
    public int queue() {
        return queue;
    }

    /**
     * The addressed target.
     *
     * @return 0..255
     */
    public int target() {
        return target;
    }

    /**
     * The addressed logical unit.
     *
     * @return its number
     */
    public int lun() {
        return lun;
    }

    /**
     * Whether the device still owes the response.
     *
     * @return whether it was submitted and not answered
     */
    public boolean isOutstanding() {
        return outstanding;
    }

    /**
     * When it was submitted.
     *
     * @return by the driver's clock
     */
    public long submittedNanos() {
        return submittedNanos;
    }

    /**
     * The virtio response code of the answer.
     *
     * @return {@link #RESPONSE_OK} if the command was executed, {@link #RESPONSE_NONE} before the
     *     answer
     */
    public int response() {
        return response;
    }

    /**
     * The SCSI status of the answer.
     *
     * @return the status byte
     */
    public int status() {
        return status;
    }

    /**
     * The residual of the answer.
     *
     * @return bytes of the buffer that were not moved
     */
    public int residualBytes() {
        return residualBytes;
    }

    /**
     * The sense data of the answer.
     *
     * @return decoded; {@link Sense#NO_SENSE} if there is none
     */
    public Sense sense() {
        return sense.length == 0 ? Sense.NO_SENSE : Sense.decode(sense, sense.length);
    }

    /**
     * The sense data of the answer as it came.
     *
     * @return a copy
     */
    public byte[] senseBytes() {
        return sense.clone();
    }

    /**
     * Whether the command was executed with status GOOD.
     *
     * @return whether all is well
     */
    public boolean isGood() {
        return response == RESPONSE_OK && status == 0;
    }

    @Override
    public String toString() {
        return "command tag " + tag + " opcode 0x" + Integer.toHexString(cdb[0] & 0xFF)
                + " to " + target + ":" + lun + " on queue " + queue
                + (outstanding ? " outstanding" : " response " + response + " status " + status
                        + " " + sense());
    }

    byte[] cdbBytes() {
        return cdb;
    }

    @Nullable Listener listener() {
        return listener;
    }

    void submitted(long newTag, int onQueue, long nowNanos) {
        checkIdle();
        tag = newTag;
        queue = onQueue;
        submittedNanos = nowNanos;
        response = RESPONSE_NONE;
        outstanding = true;
    }

    /** Undoes {@link #submitted} when the ring had no room. */
    void notSubmitted() {
        outstanding = false;
    }

    void describeBuffers(BufferList buffers) {
        buffers.clear().readable(headerAddress, REQUEST_BYTES);
        if (dataBytes > 0 && dataToDevice) {
            for (int at = 0; at < dataBytes; at += pieceAt(at)) {
                buffers.readable(dataAddress + at, pieceAt(at));
            }
        }
        buffers.writable(responseAddress, RESPONSE_BYTES);
        if (dataBytes > 0 && !dataToDevice) {
            for (int at = 0; at < dataBytes; at += pieceAt(at)) {
                buffers.writable(dataAddress + at, pieceAt(at));
            }
        }
    }

    long headerAddress() {
        return headerAddress;
    }

    long responseAddress() {
        return responseAddress;
    }

    void answered(byte[] answer) {
        outstanding = false;
        int senseLength = Math.min(LittleEndian.int32(answer, 0), SENSE_SIZE);
        residualBytes = LittleEndian.int32(answer, 4);
        status = answer[10] & 0xFF;
        response = answer[11] & 0xFF;
        sense = senseLength <= 0 ? new byte[0] : Arrays.copyOfRange(answer, 12, 12 + senseLength);
    }

    void free(GuestRam ram) {
        checkIdle();
        ram.free(headerAddress);
        ram.free(responseAddress);
    }

    private int pieceAt(int at) {
        return Math.min(pieceBytes, dataBytes - at);
    }

    private GuestCommand data(long address, int bytes, boolean toDevice) {
        checkIdle();
        dataAddress = address;
        dataBytes = bytes;
        dataToDevice = toDevice;
        return this;
    }

    private void checkIdle() {
        if (outstanding) {
            throw new IllegalStateException("still outstanding: " + this);
        }
    }

    /** Hears that a command was answered. */
    public interface Listener {
        /**
         * The response has arrived. vCPU, from {@link GuestScsi#poll}; the command may be submitted
         * again.
         *
         * @param command the command with its answer
         */
        void onAnswered(GuestCommand command);
    }
}
