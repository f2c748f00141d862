package dev.quiesce.scsi;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which unit sits where: an immutable snapshot, so that a look-up from any thread is one load of
 * the snapshot and no more (SCSI-6); the garbage collector keeps what a late reader still holds.
 */
final class UnitTable {
    private static final int[] NO_LUNS = {};
    private static final LogicalUnit[] NO_UNITS = {};

    /** Per target, ascending: the LUNs, and the units at the same indices. */
    private final int[][] luns;
    private final LogicalUnit[][] units;

    private UnitTable(int[][] luns, LogicalUnit[][] units) {
        this.luns = luns;
        this.units = units;
    }

    static UnitTable empty(int targets) {
        int[][] luns = new int[targets][];
        LogicalUnit[][] units = new LogicalUnit[targets][];
        Arrays.fill(luns, NO_LUNS);
        Arrays.fill(units, NO_UNITS);
        return new UnitTable(luns, units);
    }

    @Nullable LogicalUnit find(int target, int lun) {
        if (target < 0 || target >= luns.length) {
            return null;
        }
        int at = Arrays.binarySearch(luns[target], lun);
        return at < 0 ? null : units[target][at];
    }

    boolean hasTarget(int target) {
        return target >= 0 && target < luns.length && luns[target].length > 0;
    }

    /** The LUNs of a target, ascending (SCSI-8); not to be changed. */
    int[] lunsOf(int target) {
        return target >= 0 && target < luns.length ? luns[target] : NO_LUNS;
    }

    LogicalUnit[] unitsOf(int target) {
        return target >= 0 && target < units.length ? units[target] : NO_UNITS;
    }

    /** All units, ascending by target, then LUN. */
    List<LogicalUnit> all() {
        List<LogicalUnit> all = new ArrayList<>();
        for (LogicalUnit[] ofTarget : units) {
            all.addAll(Arrays.asList(ofTarget));
        }
        return List.copyOf(all);
    }

    UnitTable with(int target, int lun, LogicalUnit unit) {
        int at = -1 - Arrays.binarySearch(luns[target], lun);
        assert at >= 0 : "occupied: " + target + ":" + lun;
        int count = luns[target].length;
        int[] moreLuns = Arrays.copyOf(luns[target], count + 1);
        LogicalUnit[] moreUnits = Arrays.copyOf(units[target], count + 1);
        System.arraycopy(moreLuns, at, moreLuns, at + 1, count - at);
        System.arraycopy(moreUnits, at, moreUnits, at + 1, count - at);
        moreLuns[at] = lun;
        moreUnits[at] = unit;
        return replace(target, moreLuns, moreUnits);
    }

    UnitTable without(int target, int lun) {
        int at = Arrays.binarySearch(luns[target], lun);
        assert at >= 0 : "vacant: " + target + ":" + lun;
        int count = luns[target].length;
        int[] fewerLuns = Arrays.copyOf(luns[target], count - 1);
        LogicalUnit[] fewerUnits = Arrays.copyOf(units[target], count - 1);
        System.arraycopy(luns[target], at + 1, fewerLuns, at, count - 1 - at);
        System.arraycopy(units[target], at + 1, fewerUnits, at, count - 1 - at);
        return replace(target, fewerLuns, fewerUnits);
    }

    private UnitTable replace(int target, int[] newLuns, LogicalUnit[] newUnits) {
        int[][] allLuns = luns.clone();
        LogicalUnit[][] allUnits = units.clone();
        allLuns[target] = newLuns;
        allUnits[target] = newUnits;
        return new UnitTable(allLuns, allUnits);
    }
}
