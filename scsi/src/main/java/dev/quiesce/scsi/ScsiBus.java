package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.scsi.spec.Sense;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The units that an adapter can address, by target and logical unit number.
 *
 * <p>Looking a unit up is for any thread: one acquire load of an immutable table. Units come and go
 * on the main context: a unit is published as the last step of plugging it and unpublished as the
 * first step of unplugging it (SCSI-7), so whoever finds one finds it whole.
 *
 * <p>An adapter's way: {@link #find}; if that is null but {@link #hasTarget}, {@link
 * #targetCommands}; else there is no such target.
 */
public final class ScsiBus {
    private static final VarHandle TABLE;

    static {
        try {
            TABLE = MethodHandles.lookup().findVarHandle(ScsiBus.class, "table", UnitTable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AioContext main;
    private final ScsiBusConfig config;
    private final TargetCommands targetCommands = new TargetCommands(this);
    private final List<BusListener> listeners = new CopyOnWriteArrayList<>();
    private final AtomicLong removalsWithRequestsListed = new AtomicLong();

    /** Units that are being unplugged: their addresses stay taken until they left. Main only. */
    private final Map<ScsiAddress, LogicalUnit> leaving = new HashMap<>();

    /** Written release by control; read acquire by any. */
    private UnitTable table;

    /**
     * Makes an empty bus. Any thread.
     *
     * @param main the context whose owner is control
     * @param config the limits
     */
    public ScsiBus(AioContext main, ScsiBusConfig config) {
        this.main = Objects.requireNonNull(main, "main");
        this.config = Objects.requireNonNull(config, "config");
        this.table = UnitTable.empty(config.targetMax() + 1);
    }

    /**
     * The context whose owner is control. Any thread.
     *
     * @return the main context
     */
    public AioContext main() {
        return main;
    }

    /**
     * The limits. Any thread.
     *
     * @return the configuration
     */
    public ScsiBusConfig config() {
        return config;
    }

    // ---- look-up

    /**
     * Finds a unit. Any thread; one acquire load, no allocation.
     *
     * @param target the target; any value
     * @param lun the logical unit number; any value
     * @return the unit at exactly that address, or null
     */
    public @Nullable LogicalUnit find(int target, int lun) {
        return tableAcquire().find(target, lun);
    }

    /**
     * Finds a unit. Any thread.
     *
     * @param address the address
     * @return the unit at exactly that address, or null
     */
    public @Nullable LogicalUnit find(ScsiAddress address) {
        return find(address.target(), address.lun());
    }

    /**
     * Whether a target has any unit, so that commands to its absent LUNs are answered (SCSI-4). Any
     * thread.
     *
     * @param target the target; any value
     * @return true if it has
     */
    public boolean hasTarget(int target) {
        return tableAcquire().hasTarget(target);
    }

    /**
     * All units. Any thread.
     *
     * @return an unmodifiable snapshot, ascending by target, then LUN (SCSI-8)
     */
    public List<LogicalUnit> units() {
        return tableAcquire().all();
    }

    /**
     * The units of one target. Any thread.
     *
     * @param target the target; any value
     * @return an unmodifiable snapshot, ascending by LUN; empty if there is no such target
     */
    public List<LogicalUnit> units(int target) {
        return List.of(tableAcquire().unitsOf(target));
    }

    /**
     * The unit that is being unplugged from an address. Control. Nobody finds it any more, but its
     * last commands may still be in flight, and write into their buffers (SCSI-54).
     *
     * @param target the target; any value
     * @param lun the logical unit number; any value
     * @return the unit, or null if none is leaving there
     */
    public @Nullable LogicalUnit findLeaving(int target, int lun) {
        main.checkHome();
        for (Map.Entry<ScsiAddress, LogicalUnit> entry : leaving.entrySet()) {
            if (entry.getKey().target() == target && entry.getKey().lun() == lun) {
                return entry.getValue();
            }
        }
        return null;
    }

    /**
     * The units that are being unplugged from a target. Control; see {@link #findLeaving}.
     *
     * @param target the target; any value
     * @return an unmodifiable snapshot, in no order
     */
    public List<LogicalUnit> leavingUnits(int target) {
        main.checkHome();
        List<LogicalUnit> units = new ArrayList<>();
        leaving.forEach((address, unit) -> {
            if (address.target() == target) {
                units.add(unit);
            }
        });
        return List.copyOf(units);
    }

    /**
     * What answers for targets rather than units. Any thread.
     *
     * @return the same object always
     */
    public TargetCommands targetCommands() {
        return targetCommands;
    }

    // ---- plugging

    /**
     * Makes a unit addressable. Any thread; does not wait.
     *
     * <p>Parts of the address that are {@link ScsiAddress#AUTO} are chosen (SCSI-2); the unit's
     * {@link LogicalUnit#address()} tells which were. The unit reports that it was powered on; if
     * the bus has listeners, the others report that the LUNs changed, and then the listeners hear
     * of it (SCSI-37, VSCSI-45). A purge of the unit that is still under way ends before.
     *
     * @param unit a unit on no bus, with the same main context as the bus
     * @param address where to
     * @return completes in the main context; exceptionally with {@link IllegalStateException}
     *     naming the address if it is occupied, also by a unit that is being unplugged, or none is
     *     free
     * @throws IllegalArgumentException if the address is beyond the bus's limits, or the unit
     *     belongs to another main context
     */
    public CompletionStage<Void> plug(LogicalUnit unit, ScsiAddress address) {
        if (address.target() > config.targetMax()) {
            throw new IllegalArgumentException("no " + address + ": the bus has targets 0.."
                    + config.targetMax());
        }
        if (address.lun() > config.lunMax()) {
            throw new IllegalArgumentException("no " + address + ": the bus has LUNs 0.."
                    + config.lunMax());
        }
        if (unit.main() != main) {
            throw new IllegalArgumentException(unit + " belongs to " + unit.main().name()
                    + ", the bus to " + main.name());
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        whenMain(() -> {
            checkUnplugged(unit);
            // The guest may have begun a reset of the unit before it was unplugged.
            unit.whenNotPurged(() -> attempt(done, () -> {
                plugNow(unit, address);
                done.complete(null);
            }));
        }, done);
        return done;
    }

    /**
     * Takes a unit away. Any thread; does not wait.
     *
     * <p>Order (PURGE-14): the unit is unpublished and refuses commands; its requests are purged
     * with {@link CancelCause#REMOVED}; the others report that the LUNs changed; the listeners hear
     * of it.
     *
     * <p>If the purge fails, the unit is back at its address, as if nobody had asked: it executes
     * commands, can be unplugged again, and reports that it was reset, since some of its commands
     * may have been cancelled.
     *
     * @param address where the unit sits
     * @return completes in the main context when none of the unit's requests is left and none will
     *     reach it; exceptionally with {@link IllegalStateException} naming the address if nothing
     *     is there, or with what the purge failed for
     */
    public CompletionStage<Void> unplug(ScsiAddress address) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        whenMain(() -> {
            LogicalUnit unit = unpublish(address);
            unit.purgeAsync(CancelCause.REMOVED, null).whenComplete((nothing, failure) -> {
                if (failure == null) {
                    unit.whenNotPurged(() -> attempt(done, () -> {
                        unplugged(unit, address);
                        done.complete(null);
                    }));
                } else {
                    stays(unit, address);
                    done.completeExceptionally(failure);
                }
            });
        }, done);
        return done;
    }

    /**
     * As {@link #unplug}, waiting. Control; polls the main context.
     *
     * @param address where the unit sits
     * @throws IllegalStateException if nothing is there, or the caller does not own the main
     *     context, or is a hook (DRAIN-9)
     * @throws dev.quiesce.aio.WaitCannotEndException as for {@link LogicalUnit#purge}; the unit is
     *     back at its address
     */
    public void unplugBlocking(ScsiAddress address) {
        main.checkHome();
        LogicalUnit there = find(address);
        if (there != null) {
            // Before anything changes that the guest could see.
            there.drainable().checkMayWait();
            ControlWait.checkMayWait(main);
        }
        LogicalUnit unit = unpublish(address);
        try {
            unit.purge(CancelCause.REMOVED, null);
        } catch (RuntimeException e) {
            stays(unit, address);
            throw e;
        }
        unplugged(unit, address);
    }

    /**
     * Adds a listener. Control.
     *
     * @param listener hears of units that come and go from now on
     */
    public void addListener(BusListener listener) {
        main.checkHome();
        listeners.add(Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Removes a listener. Control.
     *
     * @param listener one that was added; another is ignored
     */
    public void removeListener(BusListener listener) {
        main.checkHome();
        listeners.remove(listener);
    }

    /**
     * How many units were unpublished while requests of theirs were listed. Any thread.
     *
     * @return the count
     */
    public long removalsWithRequestsListed() {
        return removalsWithRequestsListed.get();
    }

    // ---- LogicalUnit, TargetCommands

    void unitChanged(LogicalUnit unit, ScsiAddress address, Sense what) {
        for (BusListener listener : listeners) {
            listener.unitChanged(unit, address, what);
        }
    }

    int[] lunsOf(int target) {
        return tableAcquire().lunsOf(target);
    }

    void clearLunsChanged(int target) {
        for (LogicalUnit unit : tableAcquire().unitsOf(target)) {
            unit.clearUnitAttention(Sense.UA_LUNS_CHANGED);
        }
    }

    // ---- steps, on the main context

    private void plugNow(LogicalUnit unit, ScsiAddress wanted) {
        checkUnplugged(unit);
        ScsiAddress address = choose(wanted);
        LogicalUnit occupant = occupant(address.target(), address.lun());
        if (occupant != null) {
            throw new IllegalStateException(address + " is occupied by " + occupant.name());
        }
        unit.placed(new Place(this, address));
        unit.queueUnitAttention(Sense.UA_POWER_ON);
        publish(table.with(address.target(), address.lun(), unit));
        announceLunsChanged(unit);
        for (BusListener listener : listeners) {
            listener.unitAdded(unit, address);
        }
    }

    private static void checkUnplugged(LogicalUnit unit) {
        if (unit.address() != null) {
            throw new IllegalStateException(unit + " is plugged already");
        }
    }

    private LogicalUnit unpublish(ScsiAddress address) {
        LogicalUnit unit = table.find(address.target(), address.lun());
        if (unit == null) {
            throw new IllegalStateException("nothing at " + address);
        }
        leaving.put(address, unit);
        publish(table.without(address.target(), address.lun()));
        if (unit.listedRequests() > 0) {
            removalsWithRequestsListed.incrementAndGet();
        }
        return unit;
    }

    /** Its purge failed: the unit is where it was. */
    private void stays(LogicalUnit unit, ScsiAddress address) {
        leaving.remove(address);
        unit.placed(new Place(this, address));
        unit.queueUnitAttention(Sense.UA_RESET);
        publish(table.with(address.target(), address.lun(), unit));
    }

    private void unplugged(LogicalUnit unit, ScsiAddress address) {
        leaving.remove(address);
        unit.placed(null);
        announceLunsChanged(unit);
        for (BusListener listener : listeners) {
            listener.unitRemoved(unit, address);
        }
    }

    /** Without a listener there is no adapter, hence no initiator that knew another inventory. */
    private void announceLunsChanged(LogicalUnit except) {
        if (listeners.isEmpty()) {
            return;
        }
        for (LogicalUnit other : table.all()) {
            if (other != except) {
                other.queueUnitAttention(Sense.UA_LUNS_CHANGED);
            }
        }
    }

    private ScsiAddress choose(ScsiAddress wanted) {
        if (wanted.target() == ScsiAddress.AUTO) {
            int lun = wanted.lun() == ScsiAddress.AUTO ? 0 : wanted.lun();
            for (int target = 0; target <= config.targetMax(); target++) {
                if (occupant(target, lun) == null) {
                    return new ScsiAddress(target, lun);
                }
            }
            throw new IllegalStateException("no free target for " + wanted);
        }
        if (wanted.lun() == ScsiAddress.AUTO) {
            for (int lun = 0; lun <= config.lunMax(); lun++) {
                if (occupant(wanted.target(), lun) == null) {
                    return new ScsiAddress(wanted.target(), lun);
                }
            }
            throw new IllegalStateException("no free LUN for " + wanted);
        }
        return wanted;
    }

    /**
     * Who has an address. A unit that is being unplugged still has its own: the guest hears later
     * that it is gone, and must not take that for another unit.
     */
    private @Nullable LogicalUnit occupant(int target, int lun) {
        LogicalUnit unit = table.find(target, lun);
        return unit != null ? unit : leaving.get(new ScsiAddress(target, lun));
    }

    /** Begins an operation at once if the caller is control, else when main runs. */
    private void whenMain(Runnable step, CompletableFuture<Void> outcome) {
        Runnable guarded = () -> attempt(outcome, step);
        if (main.isHome()) {
            guarded.run();
        } else {
            main.execute(guarded);
        }
    }

    /** Takes a step of an operation, which has failed if the step throws. */
    private static void attempt(CompletableFuture<Void> outcome, Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            outcome.completeExceptionally(e);
        }
    }

    private UnitTable tableAcquire() {
        return (UnitTable) TABLE.getAcquire(this);
    }

    private void publish(UnitTable next) {
        // Release: the table and all that its units were built from.
        TABLE.setRelease(this, next);
    }

    /** Bus and address of a plugged unit, together: a reader never sees one without the other. */
    record Place(ScsiBus bus, ScsiAddress address) {}
}
