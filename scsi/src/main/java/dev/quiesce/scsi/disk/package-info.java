/**
 * The disk: the direct-access commands, served by a block backend.
 */
@NullMarked
package dev.quiesce.scsi.disk;

import org.jspecify.annotations.NullMarked;
