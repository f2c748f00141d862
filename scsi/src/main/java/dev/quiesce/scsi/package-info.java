/**
 * The SCSI bus: devices, logical units and their request lists.
 */
@NullMarked
package dev.quiesce.scsi;

import org.jspecify.annotations.NullMarked;
