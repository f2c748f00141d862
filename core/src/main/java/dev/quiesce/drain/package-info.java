/**
 * The gate: counting what is in flight, quiescing, parking, and drained sections.
 *
 * <p>This package answers one question for everybody above it: <em>when may the control side assume
 * that nothing is running?</em> A {@link dev.quiesce.drain.Gate} counts requests per submitting
 * context in {@link dev.quiesce.drain.Lane lanes} and everything else in
 * {@link dev.quiesce.drain.Hold holds}; a {@link dev.quiesce.drain.DrainedSection} quiesces any
 * number of {@link dev.quiesce.drain.Drainable drainables} and waits until all of them are settled.
 * It knows nothing of blocks, nodes or devices, and imports the event loop only.
 *
 * <p>Threads. A lane belongs to its home context. Quiescing, resuming and the blocking forms of a
 * section are control: they run where the main context is owned. Holds and all asynchronous forms
 * are for any thread. Each is checked when called.
 *
 * <p>Read {@link dev.quiesce.drain.Gate} first: the class comment is the contract, the note inside
 * it is the proof. Then {@link dev.quiesce.drain.Lane}, for parking and replay, and
 * {@link dev.quiesce.drain.DrainedSection}. The table of shared fields is in
 * {@code docs/concurrency.md}, section "drain".
 */
@NullMarked
package dev.quiesce.drain;

import org.jspecify.annotations.NullMarked;
