package dev.quiesce.driver.filter;

/**
 * How an {@link OverlayDriver} keeps what is written.
 *
 * @param maxBytes most memory it may take, bookkeeping included; beyond it writes complete with
 *     {@code NO_SPACE}
 */
public record OverlayConfig(long maxBytes) {
    /**
     * Checks the value.
     *
     * @param maxBytes as the component
     * @throws IllegalArgumentException if it is negative
     */
    public OverlayConfig {
        if (maxBytes < 0) {
            throw new IllegalArgumentException("negative maxBytes: " + maxBytes);
        }
    }
}
