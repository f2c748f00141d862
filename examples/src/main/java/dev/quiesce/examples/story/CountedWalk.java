package dev.quiesce.examples.story;

import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.RequestVisitor;

/** Quiesce: the walk and the purge of its real logical unit, as they are. */
final class CountedWalk implements WalkUnderTest {
    private final Disk disk;

    CountedWalk(Disk disk) {
        this.disk = disk;
    }

    @Override
    public String title() {
        return "Quiesce: the walk is counted in flight before it is posted";
    }

    @Override
    public void forEachRequest(RequestVisitor visitor) {
        disk.unit().forEachRequestAsync(visitor);
    }

    @Override
    public void purge() {
        disk.unit().purge(CancelCause.REMOVED, null);
    }
}
