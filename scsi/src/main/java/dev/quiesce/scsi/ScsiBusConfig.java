package dev.quiesce.scsi;

import dev.quiesce.scsi.spec.LunAddress;

/**
 * The limits of a bus (SCSI-1).
 *
 * @param targetMax the highest target, 0 to 255
 * @param lunMax the highest logical unit number, 0 to {@link LunAddress#LUN_MAX}
 */
public record ScsiBusConfig(int targetMax, int lunMax) {
    private static final int TARGET_LIMIT = 255;

    /**
     * Checks the limits.
     *
     * @param targetMax the highest target
     * @param lunMax the highest logical unit number
     * @throws IllegalArgumentException if one is out of range
     */
    public ScsiBusConfig {
        if (targetMax < 0 || targetMax > TARGET_LIMIT) {
            throw new IllegalArgumentException("targetMax " + targetMax + " is not in 0..255");
        }
        if (lunMax < 0 || lunMax > LunAddress.LUN_MAX) {
            throw new IllegalArgumentException(
                    "lunMax " + lunMax + " is not in 0.." + LunAddress.LUN_MAX);
        }
    }

    /**
     * The largest bus that a virtio-scsi device can address. Any thread.
     *
     * @return 256 targets with 16384 logical units each
     */
    public static ScsiBusConfig largest() {
        return new ScsiBusConfig(TARGET_LIMIT, LunAddress.LUN_MAX);
    }
}
