/**
 * The disk: the direct-access commands, served by a block backend.
 *
 * <p>{@link dev.quiesce.scsi.disk.ScsiDisk} is a {@link dev.quiesce.scsi.LogicalUnit} on a {@link
 * dev.quiesce.backend.BlockBackend}. Each request carries one re-used command object with one block
 * request in it; a command of several steps (UNMAP, WRITE SAME, VERIFY) is a small continuation
 * that submits its next step from within the completion of the previous one, holding nothing: it
 * may park half done, and it may be cancelled between steps (I9).
 *
 * <p><b>Thread rule.</b> A command runs in its request's home context from beginning to end. What
 * commands of several contexts share (the mode parameters) is one immutable object behind one
 * reference.
 *
 * <p>Commands not in {@link dev.quiesce.scsi.disk.ScsiDisk}'s table are answered with "invalid
 * command operation code": partial support is worse than none (CMD-80). RESERVE and RELEASE are
 * among them. I/O errors are reported to the guest; there is no policy that stops it.
 *
 * <p>Read first: {@link dev.quiesce.scsi.disk.ScsiDisk}.
 */
@NullMarked
package dev.quiesce.scsi.disk;

import org.jspecify.annotations.NullMarked;
