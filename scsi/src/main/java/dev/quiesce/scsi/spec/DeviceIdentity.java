package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * How a logical unit names itself in INQUIRY: the texts of the standard data and the designators of
 * the vital product data pages 80h and 83h (CMD-23, CMD-25).
 *
 * <p>The designator is what an initiator recognises a disk by. It must not change with the
 * machine's configuration, hence there is no default that is made up from a backend's name
 * (CMD-29).
 *
 * <p>Any thread; immutable. All texts are printable ASCII.
 *
 * @param vendor T10 vendor identification, at most 8 characters
 * @param product product identification, at most 16 characters
 * @param revision product revision level, at most 4 characters
 * @param serial unit serial number, 1 to 36 characters; null: there is no page 80h
 * @param designator stable identification of the unit, 1 to 247 characters
 * @param naa NAA identifier of the unit, of type 2, 3 or 5 (its highest four bits); 0: none
 * @param portNaa NAA identifier of the target port, of type 2, 3 or 5; 0: none
 * @param relativePort relative target port identifier, 1 to 65535; 0: none
 */
public record DeviceIdentity(
        String vendor,
        String product,
        String revision,
        @Nullable String serial,
        String designator,
        long naa,
        long portNaa,
        int relativePort) {
    /** The longest serial number that page 80h takes. */
    public static final int SERIAL_LENGTH_MAX = 36;
    /** The longest serial number that may serve as designator as well. */
    public static final int SERIAL_AS_DESIGNATOR_LENGTH_MAX = 20;
    /** The longest designator. */
    public static final int DESIGNATOR_LENGTH_MAX = 247;

    static final int VENDOR_LENGTH = 8;
    static final int PRODUCT_LENGTH = 16;
    static final int REVISION_LENGTH = 4;

    /**
     * Checks lengths and characters.
     *
     * @param vendor T10 vendor identification
     * @param product product identification
     * @param revision product revision level
     * @param serial unit serial number
     * @param designator stable identification of the unit
     * @param naa NAA identifier of the unit
     * @param portNaa NAA identifier of the target port
     * @param relativePort relative target port identifier
     * @throws IllegalArgumentException naming what is too long, empty, not printable ASCII or not
     *     an NAA identifier
     */
    public DeviceIdentity {
        requireText("vendor", vendor, 0, VENDOR_LENGTH);
        requireText("product", product, 0, PRODUCT_LENGTH);
        requireText("revision", revision, 0, REVISION_LENGTH);
        if (serial != null) {
            requireText("serial", serial, 1, SERIAL_LENGTH_MAX);
        }
        requireText("designator", designator, 1, DESIGNATOR_LENGTH_MAX);
        requireNaa("naa", naa);
        requireNaa("portNaa", portNaa);
        if (relativePort < 0 || relativePort > 0xFFFF) {
            throw new IllegalArgumentException("relativePort " + relativePort);
        }
    }

    /**
     * An identity whose serial number is its designator too.
     *
     * @param vendor T10 vendor identification
     * @param product product identification
     * @param revision product revision level
     * @param serial unit serial number, 1 to {@link #SERIAL_AS_DESIGNATOR_LENGTH_MAX} characters
     * @return the identity, without NAA identifiers and port
     * @throws IllegalArgumentException as the constructor, or if the serial number is too long for
     *     a designator
     */
    public static DeviceIdentity of(
            String vendor, String product, String revision, String serial) {
        requireText("serial as designator", serial, 1, SERIAL_AS_DESIGNATOR_LENGTH_MAX);
        return new DeviceIdentity(vendor, product, revision, serial, serial, 0, 0, 0);
    }

    /**
     * The same with another designator.
     *
     * @param text the designator
     * @return the new identity
     * @throws IllegalArgumentException as the constructor
     */
    public DeviceIdentity withDesignator(String text) {
        return new DeviceIdentity(
                vendor, product, revision, serial, text, naa, portNaa, relativePort);
    }

    /**
     * The same with another NAA identifier.
     *
     * @param identifier the identifier of the unit, 0 for none
     * @return the new identity
     * @throws IllegalArgumentException as the constructor
     */
    public DeviceIdentity withNaa(long identifier) {
        return new DeviceIdentity(
                vendor, product, revision, serial, designator, identifier, portNaa, relativePort);
    }

    /**
     * The same behind another target port.
     *
     * @param identifier the NAA identifier of the port, 0 for none
     * @param index the relative target port identifier, 0 for none
     * @return the new identity
     * @throws IllegalArgumentException as the constructor
     */
    public DeviceIdentity withPort(long identifier, int index) {
        return new DeviceIdentity(
                vendor, product, revision, serial, designator, naa, identifier, index);
    }

    private static void requireText(String what, String text, int min, int max) {
        if (text.length() < min || text.length() > max) {
            throw new IllegalArgumentException(
                    what + " \"" + text + "\" must have " + min + " to " + max + " characters");
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
                throw new IllegalArgumentException(
                        what + " has character 0x" + Integer.toHexString(text.charAt(i)));
            }
        }
    }

    private static void requireNaa(String what, long identifier) {
        int type = (int) (identifier >>> 60);
        if (identifier != 0 && type != 2 && type != 3 && type != 5) {
            throw new IllegalArgumentException(what + " 0x" + Long.toHexString(identifier));
        }
    }
}
