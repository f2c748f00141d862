/**
 * The block request, and what a driver must implement to serve one.
 *
 * <p>A {@link dev.quiesce.driver.BlockRequest} is owned by its submitter and lent downwards, from
 * submit to completion, through a chain of nodes. Each node's
 * {@link dev.quiesce.driver.BlockDriver} either completes it, forwards it to a
 * {@link dev.quiesce.driver.Child}, or serves it by requests of its own (child requests).
 *
 * <p>Threads: a request lives in its home context; only
 * {@link dev.quiesce.driver.BlockRequest#complete} may be called from any thread. A driver's
 * {@code submit} and {@code cancel} run in the home context of the request, its life-cycle methods
 * on the control thread. Requests of different contexts reach a driver at the same time.
 *
 * <p>Read {@code BlockDriver} first, then {@code BlockRequest}; {@code RequestBoundary} and
 * {@code NodeEntry} are for the layers above.
 */
@NullMarked
package dev.quiesce.driver;

import org.jspecify.annotations.NullMarked;
