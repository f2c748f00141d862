package dev.quiesce.testkit.guest;

/**
 * A disk as a guest knows it after probing.
 *
 * @param target its target
 * @param lun its logical unit number
 * @param vendor vendor, without padding
 * @param product product, without padding
 * @param revision revision, without padding
 * @param serial unit serial number, empty if it has none
 * @param blocks number of blocks
 * @param blockSizeBytes size of a block
 * @param physicalBlockSizeBytes size of a physical block
 * @param writeCache whether a volatile write cache is on
 * @param fua whether writes may ask to reach the medium
 * @param readOnly whether it refuses to be written
 * @param unmap whether UNMAP works
 * @param writeSame whether WRITE SAME(16) works
 * @param unmappedReadsZero whether unmapped blocks read as zeros
 * @param rotating whether the medium rotates
 */
public record FoundDisk(
        int target,
        int lun,
        String vendor,
        String product,
        String revision,
        String serial,
        long blocks,
        int blockSizeBytes,
        int physicalBlockSizeBytes,
        boolean writeCache,
        boolean fua,
        boolean readOnly,
        boolean unmap,
        boolean writeSame,
        boolean unmappedReadsZero,
        boolean rotating) {
    /**
     * Size of the disk.
     *
     * @return bytes
     */
    public long lengthBytes() {
        return blocks * blockSizeBytes;
    }

    /**
     * The disk in the words of a kernel log.
     *
     * @return one line
     */
    public String describe() {
        return "0:0:" + target + ":" + lun + ": Direct-Access " + vendor + " " + product + " "
                + revision + " serial " + serial + ", " + blocks + " " + blockSizeBytes
                + "-byte blocks (" + lengthBytes() / 1_000_000 + " MB), write cache "
                + (writeCache ? "on" : "off") + (fua ? ", FUA" : "")
                + (readOnly ? ", read-only" : "")
                + (unmap ? ", unmap" : "") + (writeSame ? ", write same" : "")
                + (rotating ? "" : ", non-rotational");
    }
}
