package dev.quiesce.driver.file;

import java.nio.file.Path;

/**
 * Which file to open, and how.
 *
 * @param path the file or block device
 * @param readOnly whether modifying requests are refused; the file is opened accordingly
 * @param alignmentBytes the length is rounded up to a multiple of it; a power of two
 * @param emptyAllowed whether a file of no bytes may be opened
 */
public record FileConfig(Path path, boolean readOnly, int alignmentBytes, boolean emptyAllowed) {
    /** The alignment that disks of all block sizes from 512 bytes up can live with. */
    public static final int DEFAULT_ALIGNMENT_BYTES = 512;

    /**
     * Checks the alignment.
     *
     * @param path as the component
     * @param readOnly as the component
     * @param alignmentBytes as the component
     * @param emptyAllowed as the component
     * @throws IllegalArgumentException if the alignment is not a power of two
     */
    public FileConfig {
        if (alignmentBytes <= 0 || Integer.bitCount(alignmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "alignmentBytes must be a power of two: " + alignmentBytes);
        }
    }

    /**
     * A file that may be empty.
     *
     * @param path the file or block device
     * @param readOnly whether modifying requests are refused
     * @param alignmentBytes the length is rounded up to a multiple of it
     */
    public FileConfig(Path path, boolean readOnly, int alignmentBytes) {
        this(path, readOnly, alignmentBytes, true);
    }

    /**
     * A file that may be empty and is only read.
     *
     * @param path the file or block device
     * @return the configuration, with the default alignment
     */
    public static FileConfig readOnly(Path path) {
        return new FileConfig(path, true, DEFAULT_ALIGNMENT_BYTES);
    }

    /**
     * A file that may be empty and is read and written.
     *
     * @param path the file or block device
     * @return the configuration, with the default alignment
     */
    public static FileConfig writable(Path path) {
        return new FileConfig(path, false, DEFAULT_ALIGNMENT_BYTES);
    }

    /**
     * A copy that refuses a file of no bytes.
     *
     * @return the copy
     */
    public FileConfig refusingEmpty() {
        return new FileConfig(path, readOnly, alignmentBytes, false);
    }
}
