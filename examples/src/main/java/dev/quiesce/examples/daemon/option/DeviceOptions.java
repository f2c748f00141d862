package dev.quiesce.examples.daemon.option;

import org.jspecify.annotations.Nullable;

/**
 * A disk to be plugged into an export.
 *
 * @param id its name
 * @param bus the export, or null for the only one
 * @param drive the node
 * @param target the SCSI target
 * @param lun the logical unit number, or -1 for the next free one
 * @param serial its serial number, or null for one made of its name
 */
public record DeviceOptions(String id, @Nullable String bus, String drive, int target, int lun,
        @Nullable String serial) {
    private static final int TARGET_MAX = 255;
    private static final int LUN_MAX = 16383;
    private static final int SERIAL_MAX = 20;

    /**
     * Reads the arguments of a device.
     *
     * @param arguments all of them
     * @return the device
     * @throws WrongOptionException if one is wrong
     */
    public static DeviceOptions read(Arguments arguments) {
        arguments.string("driver");
        arguments.choice("driver", "scsi-hd");
        DeviceOptions options = new DeviceOptions(
                arguments.string("id"),
                busOf(arguments.optionalString("bus")),
                arguments.string("drive"),
                (int) arguments.integer("scsi-id", 0, TARGET_MAX, 0),
                (int) arguments.integer("lun", 0, LUN_MAX, -1),
                arguments.optionalString("serial"));
        String serial = options.serial();
        if (serial != null && !isSerial(serial)) {
            throw arguments.unsuitable("serial", "1 to 20 printable characters");
        }
        arguments.finish();
        return options;
    }

    /** A bus may be called after its export, or as the first bus of it. */
    private static @Nullable String busOf(@Nullable String name) {
        return name != null && name.endsWith(".0") ? name.substring(0, name.length() - 2) : name;
    }

    private static boolean isSerial(String serial) {
        return serial.length() <= SERIAL_MAX
                && serial.chars().allMatch(c -> c > ' ' && c < 0x7F);
    }
}
