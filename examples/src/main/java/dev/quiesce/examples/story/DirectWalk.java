package dev.quiesce.examples.story;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.scsi.RequestVisitor;

/**
 * The first generation: control goes through the list itself. One big lock, which every context
 * took around everything, made that safe. The lock went away; this is what was left.
 */
final class DirectWalk implements WalkUnderTest {
    private final Disk disk;

    DirectWalk(Disk disk) {
        this.disk = disk;
    }

    @Override
    public String title() {
        return "Still before: control walks the list itself, as under a lock";
    }

    @Override
    public void forEachRequest(RequestVisitor visitor) {
        disk.unit().forEachListed(visitor);
    }

    @Override
    public void purge() {
        forEachRequest(disk::cancel);
        DrainedSection.begin(disk.backend()).close();
    }
}
