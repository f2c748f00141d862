/**
 * Memory-order questions about the gate. Each class asks one and answers it three times:
 * {@code Model...} on a few bare fields, {@code Broken...} with one mistake whose failure must be
 * seen in every run (where the processor can show it: {@code not-shown-here.txt}), and
 * {@code Actual...} on the real classes, by the very steps of which they are composed.
 *
 * <p>Interleavings are proved exhaustively elsewhere, by the step models of the verification
 * module; here it is about what compiler and processor may reorder. Run {@code quick.sh} for all of
 * them, or the command in the class comment for one.
 */
package dev.quiesce.drain;
