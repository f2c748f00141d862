package dev.quiesce.scsi;

/**
 * Where a logical unit sits on a bus. The channel is always 0.
 *
 * @param target the target, or {@link #AUTO}
 * @param lun the logical unit number, or {@link #AUTO}
 */
public record ScsiAddress(int target, int lun) {
    /** Stands for "choose one" in {@link ScsiBus#plug} (SCSI-2). */
    public static final int AUTO = -1;

    /**
     * Checks that neither part is negative, {@link #AUTO} excepted; a bus checks its own limits.
     *
     * @param target the target, or {@link #AUTO}
     * @param lun the logical unit number, or {@link #AUTO}
     * @throws IllegalArgumentException if a part is below {@link #AUTO}
     */
    public ScsiAddress {
        if (target < AUTO) {
            throw new IllegalArgumentException("target " + target + " is negative");
        }
        if (lun < AUTO) {
            throw new IllegalArgumentException("lun " + lun + " is negative");
        }
    }

    /**
     * Leaves the choice to the bus. Any thread.
     *
     * @return the address whose parts are both {@link #AUTO}: the lowest target without a LUN 0
     */
    public static ScsiAddress auto() {
        return new ScsiAddress(AUTO, AUTO);
    }

    @Override
    public String toString() {
        return part("target ", target) + part(", lun ", lun);
    }

    private static String part(String name, int value) {
        return name + (value == AUTO ? "auto" : value);
    }
}
