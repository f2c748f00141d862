/**
 * The wire formats and constants of SCSI as a disk needs them: command blocks, statuses, sense
 * data, parameter data.
 *
 * <p>Everything here is a value or a codec between values and bytes. Nothing does I/O, waits, logs
 * or knows a device; all multi-byte fields are big-endian. What a guest sent is never trusted and
 * never throws: a bad command or a bad parameter list comes back as the {@link
 * dev.quiesce.scsi.spec.Sense} to answer with. An {@link java.lang.IllegalArgumentException} always
 * means that the caller, not the guest, made the mistake.
 *
 * <p><b>Threads.</b> Records and enums are immutable and usable by any thread. {@link
 * dev.quiesce.scsi.spec.Cdb} and {@link dev.quiesce.scsi.spec.UnmapParameters} are re-usable views:
 * each belongs to one request and is confined to that request's home context.
 *
 * <p><b>Builders.</b> A builder writes its data at index 0 of the given array, zeroes included, and
 * returns the full length of the data. It neither knows nor cares how much the initiator asked for:
 * the caller moves {@code min(length, allocation length)} bytes (CMD-11), so that headers always
 * state the untruncated length.
 *
 * <p><b>Read first:</b> {@link dev.quiesce.scsi.spec.CdbFormat}, the table of commands; then
 * {@link dev.quiesce.scsi.spec.Cdb} and {@link dev.quiesce.scsi.spec.Sense}.
 */
@NullMarked
package dev.quiesce.scsi.spec;

import org.jspecify.annotations.NullMarked;
