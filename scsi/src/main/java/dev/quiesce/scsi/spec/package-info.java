/**
 * The wire formats and constants of SCSI: command blocks, sense data, statuses.
 */
@NullMarked
package dev.quiesce.scsi.spec;

import org.jspecify.annotations.NullMarked;
