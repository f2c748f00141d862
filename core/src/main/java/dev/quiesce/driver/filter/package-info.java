/**
 * Drivers above another node: a window onto it, a copy-on-write overlay, and one that only counts.
 *
 * <p>Threads: all are concurrent; a request stays in its home context. Read
 * {@link dev.quiesce.driver.filter.PassthroughDriver} first (forwarding), then
 * {@link dev.quiesce.driver.filter.OverlayDriver} (child requests in several steps).
 */
@NullMarked
package dev.quiesce.driver.filter;

import org.jspecify.annotations.NullMarked;
