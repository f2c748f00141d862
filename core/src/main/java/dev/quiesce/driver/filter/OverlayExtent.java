package dev.quiesce.driver.filter;

/**
 * How far an overlay goes that was truncated, and how far its base is still seen through it.
 * Immutable; any thread.
 *
 * @param lengthBytes the overlay's own length
 * @param baseBytes where the base ends at the latest; beyond it everything not held is zero
 */
record OverlayExtent(long lengthBytes, long baseBytes) {}
