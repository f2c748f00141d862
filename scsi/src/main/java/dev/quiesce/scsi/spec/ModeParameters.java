package dev.quiesce.scsi.spec;

/**
 * The mode parameters that an initiator can change (CMD-35, CMD-89).
 *
 * <p>Any thread; immutable. Comparing two of them tells whether a MODE SELECT changed anything.
 *
 * @param writeCache WCE of the Caching page: writes may be acknowledged before they reach the
 *     medium
 * @param descriptorSense D_SENSE of the Control page: sense data is in descriptor format (SCSI-51)
 * @param softwareWriteProtect SWP of the Control page: writes are refused, reads are not
 */
public record ModeParameters(
        boolean writeCache, boolean descriptorSense, boolean softwareWriteProtect) {
    /**
     * The same with another write cache setting.
     *
     * @param enabled WCE
     * @return the new parameters
     */
    public ModeParameters withWriteCache(boolean enabled) {
        return new ModeParameters(enabled, descriptorSense, softwareWriteProtect);
    }

    /**
     * The same with another sense format.
     *
     * @param enabled D_SENSE
     * @return the new parameters
     */
    public ModeParameters withDescriptorSense(boolean enabled) {
        return new ModeParameters(writeCache, enabled, softwareWriteProtect);
    }

    /**
     * The same with another software write protection.
     *
     * @param enabled SWP
     * @return the new parameters
     */
    public ModeParameters withSoftwareWriteProtect(boolean enabled) {
        return new ModeParameters(writeCache, descriptorSense, enabled);
    }
}
