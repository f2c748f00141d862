package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.block.IoVector;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One SCSI command on its way through a logical unit. An adapter embeds one in each of its command
 * records and uses it again and again; using it allocates nothing.
 *
 * <p>Life: the adapter {@linkplain #prepare prepares} it, {@linkplain LogicalUnit#execute executes}
 * it on a unit, and gets it back through {@link HostAdapter}. In between it is the unit's.
 *
 * <p>Threads: the context given to {@link #prepare} is the request's home; every method that
 * changes the request must be called there and throws {@link IllegalStateException} elsewhere
 * (SCSI-13). The reading methods are for the home context too, except {@link #home()}.
 */
public final class ScsiRequest {
    /** For the adapter: the record this request is part of. The unit never touches it. */
    public @Nullable Object hbaData;

    /**
     * For units: whatever the last unit attached, kept for re-use. A unit that finds an object of
     * its own kind here may take it over, also if another unit made it; nothing else uses it
     * meanwhile.
     */
    public @Nullable Object unitData;

    /* Place on the one list the request is on: RequestList's, home context only. */
    @Nullable ScsiRequest newer;
    @Nullable ScsiRequest older;
    @Nullable RequestChain chain;
    @Nullable RequestList list;

    /** Order of arrival on the list. */
    long sequence;

    /** The unit's epoch when the request arrived: a purge concerns only older ones (VSCSI-38). */
    long epoch;

    private final HostAdapter hba;
    private final Cdb cdb = new Cdb();
    private final byte[] cdbBytes = new byte[Cdb.LENGTH_BYTES_MAX];
    private final IoVector nothing = new IoVector();

    private @Nullable AioContext home;
    private RequestState state = RequestState.IDLE;
    private long tag;
    private int cdbLengthBytes;
    private int parsedForBlockSizeBytes;
    private @Nullable Sense cdbDefect;
    private IoVector dataOut = nothing;
    private IoVector dataIn = nothing;

    private @Nullable ScsiStatus status;
    private @Nullable Sense sense;
    private boolean senseIsDescriptor;
    private boolean senseHasInformation;
    private long senseInformation;
    private long movedBytes;
    private long residualBytes;
    private @Nullable CancelCause cancelCause;
    private @Nullable CancelNotice notice;

    /**
     * Makes an idle request. Any thread.
     *
     * @param hba who takes the answers
     */
    public ScsiRequest(HostAdapter hba) {
        this.hba = Objects.requireNonNull(hba, "hba");
    }

    /**
     * Describes the next command, without data. Home context; from now on {@code home} is the
     * request's context. At most the first 16 bytes of the CDB are kept.
     *
     * @param homeContext the context that owns the request, and in which the caller runs
     * @param commandTag the adapter's name for the command
     * @param source the array that begins with the CDB
     * @param lengthBytes how many bytes of it the adapter received
     * @return this request, for {@link #withData}
     * @throws IllegalStateException if the caller is elsewhere, or the last answer is still due
     */
    public ScsiRequest prepare(
            AioContext homeContext, long commandTag, byte[] source, int lengthBytes) {
        homeContext.checkHome();
        if (state != RequestState.IDLE && state != RequestState.PREPARED) {
            throw new IllegalStateException("prepared while in use: " + this);
        }
        home = homeContext;
        tag = commandTag;
        cdbLengthBytes = Math.min(lengthBytes, cdbBytes.length);
        System.arraycopy(source, 0, cdbBytes, 0, cdbLengthBytes);
        parsedForBlockSizeBytes = 0;
        cdbDefect = null;
        dataOut = nothing;
        dataIn = nothing;
        status = null;
        sense = null;
        senseHasInformation = false;
        movedBytes = 0;
        residualBytes = 0;
        cancelCause = null;
        state = RequestState.PREPARED;
        return this;
    }

    /**
     * Gives the prepared command its data buffers. Home context. The vectors are lent until the
     * answer is delivered; a direction without data has an empty one.
     *
     * @param fromInitiator what the initiator sends
     * @param toInitiator where data for the initiator goes
     * @return this request
     * @throws IllegalStateException if the caller is elsewhere, or the request is not prepared
     */
    public ScsiRequest withData(IoVector fromInitiator, IoVector toInitiator) {
        checkHome();
        if (state != RequestState.PREPARED) {
            throw new IllegalStateException("data for a request that is not prepared: " + this);
        }
        dataOut = fromInitiator;
        dataIn = toInitiator;
        return this;
    }

    /**
     * Interprets the CDB for a unit's block size, after which {@link #cdb()} tells direction and
     * size of the data phase. Home context. {@link LogicalUnit#execute} does it if the adapter did
     * not; an adapter that compares its buffers with the CDB before (VSCSI-17) calls it itself.
     *
     * @param blockSizeBytes the addressed unit's {@link LogicalUnit#blockSizeBytes()}
     * @return null, or what is wrong with the CDB: executing the request then answers that
     */
    public @Nullable Sense parse(int blockSizeBytes) {
        checkHome();
        if (parsedForBlockSizeBytes != blockSizeBytes) {
            cdbDefect = cdb.parse(cdbBytes, cdbLengthBytes, blockSizeBytes);
            parsedForBlockSizeBytes = blockSizeBytes;
        }
        return cdbDefect;
    }

    /**
     * The request's context. Any thread that was handed the request.
     *
     * @return the context given to the last {@link #prepare}
     * @throws IllegalStateException if there was none
     */
    public AioContext home() {
        AioContext current = home;
        if (current == null) {
            throw new IllegalStateException("the request was never prepared");
        }
        return current;
    }

    /**
     * The adapter's name for the command.
     *
     * @return the tag given to {@link #prepare}
     */
    public long tag() {
        return tag;
    }

    /**
     * The command, as interpreted by the last {@link #parse}.
     *
     * @return the same object for every command
     */
    public Cdb cdb() {
        return cdb;
    }

    /**
     * What the initiator sends.
     *
     * @return the vector given to {@link #withData}
     */
    public IoVector dataOut() {
        return dataOut;
    }

    /**
     * Where data for the initiator goes.
     *
     * @return the vector given to {@link #withData}
     */
    public IoVector dataIn() {
        return dataIn;
    }

    /**
     * Whether the request is on its unit's list: neither answered nor cancelled.
     *
     * @return true from {@link LogicalUnit#execute} until it completes or is cancelled
     */
    public boolean isListed() {
        return state == RequestState.HELD || state == RequestState.LISTED
                || state == RequestState.INFLIGHT;
    }

    /**
     * Whether the request was cancelled and its work has not come back yet.
     *
     * @return true between {@link #cancel} and {@link HostAdapter#cancelled}
     */
    public boolean isCancelling() {
        return state == RequestState.CANCELLING;
    }

    // ---- the unit's side

    /**
     * Says that work for this request is under way below the unit, so that a cancel has to reach it
     * and to wait for it. Unit; home context.
     */
    public void workBegins() {
        checkHome();
        assert state == RequestState.LISTED : this;
        state = RequestState.INFLIGHT;
    }

    /**
     * Says that the work has come back. Unit; home context; the first thing in its completion
     * (SCSI-29, PURGE-26).
     *
     * @return true if the request is still wanted; false if it was cancelled meanwhile: it has been
     *     answered by this call and the unit must not touch it any more
     */
    public boolean workEnds() {
        checkHome();
        if (state == RequestState.CANCELLING) {
            deliverCancelled();
            return false;
        }
        assert state == RequestState.INFLIGHT : this;
        state = RequestState.LISTED;
        return true;
    }

    /**
     * Records how much data was moved. Unit; home context; before completing. What is not recorded
     * counts as not moved.
     *
     * @param bytes the bytes moved in all, in either direction
     */
    public void movedBytes(long bytes) {
        checkHome();
        assert bytes >= 0 && bytes <= dataIn.bytes() + dataOut.bytes() : bytes + " of " + this;
        movedBytes = bytes;
    }

    /**
     * Ends the request without sense data. Unit; home context. A request that was cancelled is
     * answered as cancelled instead.
     *
     * @param result the status, not {@link ScsiStatus#CHECK_CONDITION}
     */
    public void complete(ScsiStatus result) {
        assert result != ScsiStatus.CHECK_CONDITION : "sense is missing";
        finish(result, null);
    }

    /**
     * Ends the request with {@link ScsiStatus#CHECK_CONDITION}. Unit; home context. A request that
     * was cancelled is answered as cancelled instead.
     *
     * @param why the sense data
     */
    public void completeWith(Sense why) {
        finish(ScsiStatus.CHECK_CONDITION, why);
    }

    /**
     * As {@link #completeWith(Sense)}, with a valid INFORMATION field.
     *
     * @param why the sense data
     * @param information the field's value, for instance where a comparison failed
     */
    public void completeWith(Sense why, long information) {
        senseHasInformation = true;
        senseInformation = information;
        finish(ScsiStatus.CHECK_CONDITION, why);
    }

    /**
     * Moves parameter data to the initiator and ends the request with {@link ScsiStatus#GOOD}.
     * Unit; home context. Moved are the bytes there are, but no more than the CDB allocates and the
     * buffer holds (CMD-11).
     *
     * @param data begins with the parameter data
     * @param lengthBytes its length
     */
    public void completeWithData(byte[] data, int lengthBytes) {
        checkHome();
        long room = Math.min(cdb.allocationLengthBytes(), dataIn.bytes());
        int moved = (int) Math.min(lengthBytes, room);
        dataIn.copyFrom(0, data, 0, moved);
        movedBytes(moved);
        finish(ScsiStatus.GOOD, null);
    }

    /**
     * Copies what the initiator sent. Unit; home context. No more than the CDB announces, the
     * buffer holds and the array takes.
     *
     * @param into where to, from index 0
     * @return the bytes copied
     */
    public int copyDataOut(byte[] into) {
        checkHome();
        long there = Math.min(cdb.transferBytes(), dataOut.bytes());
        int length = (int) Math.min(there, into.length);
        dataOut.copyTo(0, into, 0, length);
        return length;
    }

    // ---- whoever cancels

    /**
     * Cancels the request. Home context; never under a lock (SCSI-31).
     *
     * <p>If nothing of it is under way below the unit, it is answered by {@link
     * HostAdapter#cancelled} now. Otherwise it leaves the list, the unit is asked to stop the work,
     * and it is answered when the work has come back. Cancelling a request that is being cancelled
     * only adds the notifier; the first cause stays.
     *
     * @param cause why; the adapter maps it to its response
     * @param whenGone queued in the request's home context exactly once, after the answer was
     *     <em>published</em>; or null
     * @throws IllegalArgumentException if the notifier queues itself, see {@link AioContext#post}
     * @throws IllegalStateException if the caller is elsewhere, or the request is neither listed
     *     nor being cancelled
     */
    public void cancel(CancelCause cause, @Nullable Task whenGone) {
        checkHome();
        if (!isListed() && state != RequestState.CANCELLING) {
            throw new IllegalStateException("nothing to cancel: " + this);
        }
        if (whenGone != null) {
            addNotifier(whenGone);
        }
        if (state == RequestState.CANCELLING) {
            return;
        }
        cancelCause = cause;
        RequestList mine = listed();
        mine.unit().lists().countCancelled(cause);
        if (state == RequestState.INFLIGHT) {
            mine.moveToCancelling(this);
            state = RequestState.CANCELLING;
            mine.unit().cancelCommand(this);
        } else {
            deliverCancelled();
        }
    }

    // ---- the adapter's side

    /**
     * How the command ended. Home context, in {@link HostAdapter#complete}.
     *
     * @return the status
     * @throws IllegalStateException if the request did not complete
     */
    public ScsiStatus status() {
        ScsiStatus result = status;
        if (result == null) {
            throw new IllegalStateException("not completed: " + this);
        }
        return result;
    }

    /**
     * What went wrong. Home context, in {@link HostAdapter#complete}.
     *
     * @return the sense, or null if the status is not {@link ScsiStatus#CHECK_CONDITION}
     */
    public @Nullable Sense sense() {
        return sense;
    }

    /**
     * Encodes the sense data in the format that the unit's control mode page asks for (SCSI-51).
     * Home context, in {@link HostAdapter#complete}.
     *
     * @param into where to, from index 0; {@link Sense#DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES}
     *     are always enough
     * @return the bytes written, 0 if there is no sense
     */
    public int encodeSense(byte[] into) {
        Sense why = sense;
        if (why == null) {
            return 0;
        }
        if (!senseHasInformation) {
            return why.encode(senseIsDescriptor, into);
        }
        return senseIsDescriptor
                ? why.encodeDescriptor(into, senseInformation)
                : why.encodeFixed(into, senseInformation);
    }

    /**
     * How much of the data buffers was not moved. Home context, in {@link HostAdapter#complete}.
     * Computed once, when the request ends, from the bytes moved (SCSI-53, CMD-116).
     *
     * @return bytes of both buffers less the bytes moved
     */
    public long residualBytes() {
        return residualBytes;
    }

    /**
     * How much was moved, the transport's other input for residuals. As {@link #residualBytes}.
     *
     * @return the bytes moved
     */
    public long movedBytes() {
        return movedBytes;
    }

    /**
     * Why the request was cancelled. Home context, in {@link HostAdapter#cancelled}.
     *
     * @return the first cause
     * @throws IllegalStateException if it was not cancelled
     */
    public CancelCause cancelCause() {
        CancelCause cause = cancelCause;
        if (cause == null) {
            throw new IllegalStateException("not cancelled: " + this);
        }
        return cause;
    }

    @Override
    public String toString() {
        AioContext at = home;
        return "scsi request tag " + tag + " " + cdb.format() + " " + state
                + (at == null ? "" : " in " + at.name());
    }

    // ---- LogicalUnit, RequestList, TargetCommands

    RequestState state() {
        return state;
    }

    RequestList listed() {
        RequestList mine = list;
        assert mine != null : this;
        return Objects.requireNonNull(mine);
    }

    /** The list has taken the request. */
    void enlisted(boolean held) {
        assert state == RequestState.PREPARED : this;
        state = held ? RequestState.HELD : RequestState.LISTED;
    }

    /** A held request is about to run. */
    void released() {
        assert state == RequestState.HELD : this;
        state = RequestState.LISTED;
    }

    /** Turned away before it came to a list: the unit is gone. */
    void refuse(CancelCause cause) {
        if (state != RequestState.PREPARED) {
            throw new IllegalStateException("executed without prepare: " + this);
        }
        cancelCause = cause;
        state = RequestState.IDLE;
        hba.cancelled(this);
    }

    void checkHome() {
        home().checkHome();
    }

    private void finish(ScsiStatus result, @Nullable Sense why) {
        checkHome();
        if (state == RequestState.CANCELLING) {
            deliverCancelled();
            return;
        }
        if (state == RequestState.IDLE || state == RequestState.HELD) {
            throw new IllegalStateException("completed while not running: " + this);
        }
        RequestList mine = list;
        senseIsDescriptor = mine != null && mine.unit().descriptorSense();
        if (mine != null) {
            mine.remove(this);
        }
        status = result;
        sense = why;
        residualBytes = dataIn.bytes() + dataOut.bytes() - movedBytes;
        state = RequestState.IDLE;
        assert notice == null : this;
        hba.complete(this);
    }

    private void deliverCancelled() {
        listed().remove(this);
        state = RequestState.IDLE;
        CancelNotice due = notice;
        notice = null;
        AioContext here = home();
        try {
            hba.cancelled(this);
        } finally {
            if (due != null) {
                here.deferSettle(due);
            }
        }
    }

    private void addNotifier(Task whenGone) {
        if (whenGone.queuesItself()) {
            throw new IllegalArgumentException("context " + home().name() + " cannot queue "
                    + whenGone.describe() + ", which queues itself, when " + this
                    + " is gone (SCSI-31)");
        }
        CancelNotice due = notice;
        if (due == null) {
            due = new CancelNotice(home());
            notice = due;
        }
        due.add(whenGone);
    }
}
