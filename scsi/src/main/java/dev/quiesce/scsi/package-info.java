/**
 * The SCSI bus: logical units, their request lists, walks, purges, and plugging.
 *
 * <p>A host adapter (HBA) embeds one {@link dev.quiesce.scsi.ScsiRequest} in each of its command
 * records, finds the addressed {@link dev.quiesce.scsi.LogicalUnit} on the {@link
 * dev.quiesce.scsi.ScsiBus}, and {@linkplain dev.quiesce.scsi.LogicalUnit#execute executes} the
 * request there; the answer comes back through {@link dev.quiesce.scsi.HostAdapter}. The package
 * knows neither virtio nor the block backend: a logical unit is built on a {@linkplain
 * dev.quiesce.drain.Gate gate}, and a {@linkplain dev.quiesce.drain.Drainable drainable} that
 * stands for it.
 *
 * <p><b>Thread rule.</b> A request belongs to its home context, fixed by {@link
 * dev.quiesce.scsi.ScsiRequest#prepare prepare}, until its answer was delivered; every method that
 * changes it checks that. Each logical unit keeps one request list per context, confined to that
 * context, so no lock guards a list (differs from WALK-16). Whoever wants to see all requests
 * walks: the walk is posted to every context that ever had a list, under a hold taken before the
 * post, so that a drained section, and therefore a purge, waits for it.
 *
 * <p>Read first: {@link dev.quiesce.scsi.LogicalUnit}, then {@link dev.quiesce.scsi.ScsiRequest},
 * then {@link dev.quiesce.scsi.ScsiBus}.
 */
@NullMarked
package dev.quiesce.scsi;

import org.jspecify.annotations.NullMarked;
