package dev.quiesce.scsi.disk;

import dev.quiesce.scsi.spec.DeviceIdentity;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.VpdPages;
import java.util.Objects;

/**
 * How a disk presents itself. Immutable; any thread.
 *
 * @param identity vendor, product, serial number and designators; stable over the disk's life
 * @param blockSizeBytes the logical block: a power of two, 512 to 4096
 * @param physicalBlockSizeBytes what the disk says it writes at once: a power of two, at least the
 *     logical block, at most 64 KiB
 * @param readOnly whether the disk refuses to be written, whatever the backend allows
 * @param thin whether UNMAP and the UNMAP bit of WRITE SAME are offered, if the backend can
 *     discard; all capability bits follow from this one flag (CMD-28)
 * @param dpoFua whether DPO and FUA are advertised and honoured, or refused (CMD-90)
 * @param rotationRate medium rotation rate as in VPD page B1h: 0 unknown, 1 none,
 *     0x401 to 0xFFFE per minute
 * @param modes the mode parameters at power-on and after a reset
 */
public record ScsiDiskConfig(
        DeviceIdentity identity,
        int blockSizeBytes,
        int physicalBlockSizeBytes,
        boolean readOnly,
        boolean thin,
        boolean dpoFua,
        int rotationRate,
        ModeParameters modes) {
    private static final int BLOCK_SIZE_BYTES_MIN = 512;
    private static final int BLOCK_SIZE_BYTES_MAX = 4096;
    private static final int PHYSICAL_BLOCK_SIZE_BYTES_MAX = 1 << 16;

    /**
     * Checks the values.
     *
     * @param identity vendor, product, serial number and designators
     * @param blockSizeBytes the logical block
     * @param physicalBlockSizeBytes what the disk says it writes at once
     * @param readOnly whether the disk refuses to be written
     * @param thin whether UNMAP is offered
     * @param dpoFua whether DPO and FUA are honoured
     * @param rotationRate medium rotation rate
     * @param modes the mode parameters at power-on and after a reset
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public ScsiDiskConfig {
        Objects.requireNonNull(identity, "identity");
        Objects.requireNonNull(modes, "modes");
        requirePowerOfTwo("blockSizeBytes", blockSizeBytes,
                BLOCK_SIZE_BYTES_MIN, BLOCK_SIZE_BYTES_MAX);
        requirePowerOfTwo("physicalBlockSizeBytes", physicalBlockSizeBytes,
                blockSizeBytes, PHYSICAL_BLOCK_SIZE_BYTES_MAX);
        if (!VpdPages.isRotationRate(rotationRate)) {
            throw new IllegalArgumentException("rotationRate " + rotationRate);
        }
    }

    /**
     * A writable, thin solid-state disk with blocks of 512 bytes and a write cache. Any thread.
     *
     * @param serial the serial number, 1 to 20 printable characters; also the designator
     * @return the configuration
     * @throws IllegalArgumentException if the serial number does not fit
     */
    public static ScsiDiskConfig of(String serial) {
        return new ScsiDiskConfig(
                DeviceIdentity.of("QUIESCE", "DISK", "1", serial),
                BLOCK_SIZE_BYTES_MIN, BLOCK_SIZE_BYTES_MIN, false, true, true, 1,
                new ModeParameters(true, false, false));
    }

    /**
     * The same with other names. Any thread.
     *
     * @param value the identity
     * @return the new configuration
     */
    public ScsiDiskConfig withIdentity(DeviceIdentity value) {
        return new ScsiDiskConfig(value, blockSizeBytes, physicalBlockSizeBytes, readOnly, thin,
                dpoFua, rotationRate, modes);
    }

    /**
     * The same with other block sizes. Any thread.
     *
     * @param logicalBytes the logical block
     * @param physicalBytes the physical block
     * @return the new configuration
     * @throws IllegalArgumentException if a size does not fit
     */
    public ScsiDiskConfig withBlockSizes(int logicalBytes, int physicalBytes) {
        return new ScsiDiskConfig(identity, logicalBytes, physicalBytes, readOnly, thin, dpoFua,
                rotationRate, modes);
    }

    /**
     * The same, writable or not. Any thread.
     *
     * @param value whether it refuses to be written
     * @return the new configuration
     */
    public ScsiDiskConfig withReadOnly(boolean value) {
        return new ScsiDiskConfig(identity, blockSizeBytes, physicalBlockSizeBytes, value, thin,
                dpoFua, rotationRate, modes);
    }

    /**
     * The same, thin or not. Any thread.
     *
     * @param value whether UNMAP is offered
     * @return the new configuration
     */
    public ScsiDiskConfig withThin(boolean value) {
        return new ScsiDiskConfig(identity, blockSizeBytes, physicalBlockSizeBytes, readOnly, value,
                dpoFua, rotationRate, modes);
    }

    /**
     * The same, with or without DPO and FUA. Any thread.
     *
     * @param value whether they are honoured
     * @return the new configuration
     */
    public ScsiDiskConfig withDpoFua(boolean value) {
        return new ScsiDiskConfig(identity, blockSizeBytes, physicalBlockSizeBytes, readOnly, thin,
                value, rotationRate, modes);
    }

    /**
     * The same with other mode parameters. Any thread.
     *
     * @param value the parameters at power-on and after a reset
     * @return the new configuration
     */
    public ScsiDiskConfig withModes(ModeParameters value) {
        return new ScsiDiskConfig(identity, blockSizeBytes, physicalBlockSizeBytes, readOnly, thin,
                dpoFua, rotationRate, value);
    }

    /** Logical blocks per physical block, as a power of two. */
    int physicalExponent() {
        return Integer.numberOfTrailingZeros(physicalBlockSizeBytes)
                - Integer.numberOfTrailingZeros(blockSizeBytes);
    }

    private static void requirePowerOfTwo(String what, int value, int least, int most) {
        if (value < least || value > most || Integer.bitCount(value) != 1) {
            throw new IllegalArgumentException(
                    what + " " + value + " is no power of two in " + least + ".." + most);
        }
    }
}
