package dev.quiesce.scsi.disk;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendListener;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.BlockLimitsPage;
import dev.quiesce.scsi.spec.Capacity;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.CdbFormat;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A direct-access disk on a block backend.
 *
 * <p>It answers what Linux's sd driver sends, at probe and in use: TEST UNIT READY, REQUEST SENSE,
 * INQUIRY with the VPD pages 00h, 80h, 83h, B0h, B1h and B2h, READ CAPACITY(10, 16), MODE SENSE(6,
 * 10), MODE SELECT(6, 10), REPORT LUNS, READ and WRITE(6, 10, 12, 16), VERIFY(10, 12, 16),
 * SYNCHRONIZE CACHE(10, 16), UNMAP, WRITE SAME(10, 16), START STOP UNIT and REPORT SUPPORTED
 * OPERATION CODES, and everything else with "invalid command operation code".
 *
 * <p>Threads: commands run in their requests' home contexts, each through the backend's
 * {@linkplain BlockBackend#port port} of that context. Making and closing a disk is control.
 *
 * <p>The disk does not own its backend. Order of taking down: unplug the disk, {@linkplain #close
 * close} it, close the backend.
 */
public final class ScsiDisk extends LogicalUnit implements AutoCloseable {
    private static final VarHandle MODES;
    private static final int START_BIT = 0x01;
    private static final int NO_FLUSH_BIT = 0x04;
    private static final int POWER_CONDITION_SHIFT = 4;
    private static final int START_STOP_BYTE = 4;

    static {
        try {
            MODES = MethodHandles.lookup()
                    .findVarHandle(ScsiDisk.class, "modes", ModeParameters.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final BlockBackend backend;
    private final ScsiDiskConfig config;
    private final boolean thin;
    private final boolean readsZeroes;
    private final ParameterData parameterData;

    /** Replaced by compare-and-set by any context, release by control; read volatile by any. */
    @SuppressWarnings("UnusedVariable") // read and written through MODES
    private ModeParameters modes;

    private final BackendListener listener = new BackendListener() {
        @Override
        public void resized() {
            reportChange(Sense.UA_CAPACITY_CHANGED);
        }
    };

    /**
     * Makes a disk. Control: it begins to listen to the backend. Whether it is thin, and whether
     * unmapped blocks read as zeroes, is decided now from the configuration and the backend's
     * limits, and does not change with the medium.
     *
     * @param backend where the data is; its name becomes the disk's
     * @param config how the disk presents itself
     * @throws IllegalArgumentException if the backend does not take requests of one logical block
     * @throws IllegalStateException if the caller does not own the main context
     */
    public ScsiDisk(BlockBackend backend, ScsiDiskConfig config) {
        super(backend.name(), backend.gate(), backend);
        BlockLimits limits = backend.limits();
        boolean empty = backend.root() == null;
        if (!empty && limits.requestAlignmentBytes() > config.blockSizeBytes()) {
            throw new IllegalArgumentException("blockSizeBytes " + config.blockSizeBytes()
                    + ", but " + backend + " is aligned to " + limits.requestAlignmentBytes());
        }
        this.backend = backend;
        this.config = config;
        this.thin = config.thin() && (empty || limits.canDiscard());
        this.readsZeroes = thin && !empty && limits.discardReadsZero();
        this.modes = config.modes();
        this.parameterData = new ParameterData(this);
        backend.addListener(listener);
    }

    /**
     * The backend. Any thread.
     *
     * @return the backend given to the constructor
     */
    public BlockBackend backend() {
        return backend;
    }

    /**
     * The configuration. Any thread.
     *
     * @return the configuration given to the constructor
     */
    public ScsiDiskConfig config() {
        return config;
    }

    @Override
    public int blockSizeBytes() {
        return config.blockSizeBytes();
    }

    /**
     * The mode parameters in effect. Any thread.
     *
     * @return what MODE SELECT and resets left
     */
    public ModeParameters modes() {
        // Volatile: a write that has ended looks whether the cache is off (DiskCommand.endWritten),
        // a MODE SELECT that switched it off flushes what has ended. One of the two sees the other.
        return (ModeParameters) MODES.getVolatile(this);
    }

    /**
     * Stops listening to the backend. Control; the disk is on no bus any more.
     *
     * @throws IllegalStateException if the disk is plugged, or the caller does not own the main
     *     context
     */
    @Override
    public void close() {
        if (address() != null) {
            throw new IllegalStateException(this + " is plugged");
        }
        assert listedRequests() + cancellingRequests() == 0 : this;
        backend.removeListener(listener);
    }

    // ---- commands

    /** A step of a command threw: guest memory that vanished, or our mistake. Home context. */
    void failedUnder(ScsiRequest request, Throwable cause) {
        failUnder(request, cause);
    }

    @Override
    protected void executeCommand(ScsiRequest request) {
        DiskCommand command = DiskCommand.of(request, this, (Port) contextState(request));
        switch (request.cdb().format()) {
            case READ_6, READ_10, READ_12, READ_16 -> command.readWrite().start(Operation.READ);
            case WRITE_6, WRITE_10, WRITE_12, WRITE_16 ->
                command.readWrite().start(Operation.WRITE);
            case SYNCHRONIZE_CACHE_10, SYNCHRONIZE_CACHE_16 -> synchronizeCache(command);
            case WRITE_SAME_10, WRITE_SAME_16 -> command.writeSame().start();
            case UNMAP -> unmap(command);
            case VERIFY_10, VERIFY_12, VERIFY_16 -> command.verify().start();
            case TEST_UNIT_READY -> testUnitReady(request);
            case INQUIRY -> parameterData.inquire(request);
            case READ_CAPACITY_10, READ_CAPACITY_16 -> parameterData.readCapacity(request);
            case MODE_SENSE_6, MODE_SENSE_10 -> parameterData.modeSense(request);
            case MODE_SELECT_6, MODE_SELECT_10 ->
                parameterData.modeSelect(request, command.cacheFlush());
            case START_STOP_UNIT -> startStop(command);
            case REPORT_SUPPORTED_OPCODES -> parameterData.reportOpcodes(request);
            case SERVICE_ACTION_IN_16 -> request.completeWith(Sense.INVALID_FIELD_IN_CDB);
            default -> request.completeWith(Sense.INVALID_OPCODE);
        }
    }

    @Override
    protected void cancelCommand(ScsiRequest request) {
        if (request.unitData instanceof DiskCommand command) {
            command.cancel();
        }
    }

    @Override
    protected Object newContextState(AioContext home) {
        return backend.port(home);
    }

    @Override
    protected boolean descriptorSense() {
        return modes().descriptorSense();
    }

    @Override
    protected void onReset() {
        // Release: an immutable object; commands that were held meanwhile start after this.
        MODES.setRelease(this, config.modes());
    }

    /** The commands that are executed here, by this class or its base. */
    static Set<CdbFormat> commands(boolean thin) {
        Set<CdbFormat> all = EnumSet.of(
                CdbFormat.TEST_UNIT_READY, CdbFormat.REQUEST_SENSE, CdbFormat.INQUIRY,
                CdbFormat.READ_CAPACITY_10, CdbFormat.READ_CAPACITY_16,
                CdbFormat.MODE_SENSE_6, CdbFormat.MODE_SENSE_10,
                CdbFormat.MODE_SELECT_6, CdbFormat.MODE_SELECT_10, CdbFormat.REPORT_LUNS,
                CdbFormat.READ_6, CdbFormat.READ_10, CdbFormat.READ_12, CdbFormat.READ_16,
                CdbFormat.WRITE_6, CdbFormat.WRITE_10, CdbFormat.WRITE_12, CdbFormat.WRITE_16,
                CdbFormat.VERIFY_10, CdbFormat.VERIFY_12, CdbFormat.VERIFY_16,
                CdbFormat.SYNCHRONIZE_CACHE_10, CdbFormat.SYNCHRONIZE_CACHE_16,
                CdbFormat.WRITE_SAME_10, CdbFormat.WRITE_SAME_16,
                CdbFormat.START_STOP_UNIT, CdbFormat.REPORT_SUPPORTED_OPCODES);
        if (thin) {
            all.add(CdbFormat.UNMAP);
        }
        return all;
    }

    private void testUnitReady(ScsiRequest request) {
        Sense defect = checkMedium();
        if (defect != null) {
            request.completeWith(defect);
        } else {
            request.complete(ScsiStatus.GOOD);
        }
    }

    private void synchronizeCache(DiskCommand command) {
        Sense defect = checkMedium();
        if (defect != null) {
            command.fail(defect);
        } else {
            command.cacheFlush().synchronizeCache();
        }
    }

    private void unmap(DiskCommand command) {
        if (thin) {
            command.unmapRanges().start();
        } else {
            command.fail(Sense.INVALID_OPCODE);
        }
    }

    /** Stopping writes back what is cached; the medium stays usable (CMD-39). */
    private void startStop(DiskCommand command) {
        int options = command.cdb().u8(START_STOP_BYTE);
        boolean stops = options >> POWER_CONDITION_SHIFT == 0 && (options & START_BIT) == 0;
        if (stops && (options & NO_FLUSH_BIT) == 0 && checkMedium() == null) {
            command.cacheFlush().start();
        } else {
            command.end(ScsiStatus.GOOD);
        }
    }

    // ---- what the commands share

    /** The first of the common checks (CMD-7). */
    @Nullable Sense checkMedium() {
        return backend.root() == null ? Sense.NO_MEDIUM : null;
    }

    /** Medium and write protection. */
    @Nullable Sense checkWritable() {
        Sense defect = checkMedium();
        if (defect != null) {
            return defect;
        }
        if (isHardwareReadOnly()) {
            return Sense.WRITE_PROTECTED;
        }
        return modes().softwareWriteProtect() ? Sense.SOFTWARE_WRITE_PROTECTED : null;
    }

    /** All common checks in their order (CMD-7), against the capacity of this moment (CMD-9). */
    @Nullable Sense checkMediumAccess(Cdb cdb, boolean writes) {
        Sense defect = writes ? checkWritable() : checkMedium();
        if (defect == null) {
            defect = cdb.checkProtection(config.dpoFua());
        }
        if (defect == null && !cdb.isInRange(liveBlocks())) {
            defect = Sense.LBA_OUT_OF_RANGE;
        }
        return defect;
    }

    boolean isHardwareReadOnly() {
        return config.readOnly() || backend.isReadOnly();
    }

    /** Whole blocks only: what is left at the end of the backend is not addressable. */
    long liveBlocks() {
        return backend.lengthBytes() / config.blockSizeBytes();
    }

    Capacity capacity() {
        return new Capacity(liveBlocks(), config.blockSizeBytes(), config.physicalExponent(), 0,
                thin, readsZeroes);
    }

    /** A WRITE SAME is cut into pieces here: the backend's longest transfer does not bound it. */
    BlockLimitsPage limitsPage() {
        BlockLimits limits = backend.limits();
        long transferBytes = limits.maxTransferBytes() == BlockLimits.UNLIMITED
                ? 0 : limits.maxTransferBytes();
        BlockLimitsPage page = BlockLimitsPage.of(config.blockSizeBytes(), transferBytes,
                config.physicalBlockSizeBytes(), thin, limits.discardAlignmentBytes());
        return new BlockLimitsPage(page.compareAndWriteBlocksMax(),
                page.optimalGranularityBlocks(), page.transferBlocksMax(),
                page.optimalTransferBlocks(), page.unmapBlocksMax(), page.unmapDescriptorsMax(),
                page.unmapGranularityBlocks(), page.unmapAlignmentBlocks(),
                Cdb.TRANSFER_BYTES_MAX / config.blockSizeBytes());
    }

    boolean isThin() {
        return thin;
    }

    boolean readsZeroes() {
        return readsZeroes;
    }

    long offsetOf(long blocks) {
        return blocks * config.blockSizeBytes();
    }

    /** The bound rounded down to whole blocks, at least one. */
    long wholeBlocks(long bytes) {
        return Math.max(config.blockSizeBytes(), bytes & -config.blockSizeBytes());
    }

    boolean replaceModes(ModeParameters from, ModeParameters to) {
        // CAS: of two MODE SELECTs in two contexts the later one decodes against the earlier's
        // outcome.
        return MODES.compareAndSet(this, from, to);
    }

    /**
     * How a range is unmapped: discarded, unless the disk promised zeroes and what is below now
     * would not keep the promise.
     */
    Operation discardOperation(BlockLimits limits) {
        return readsZeroes && !limits.discardReadsZero()
                ? Operation.WRITE_ZEROES : Operation.DISCARD;
    }

    int discardFlags(Operation operation) {
        int durable = modes().writeCache() ? 0 : BlockRequest.FUA;
        return operation == Operation.DISCARD ? durable : durable | BlockRequest.MAY_UNMAP;
    }
}
