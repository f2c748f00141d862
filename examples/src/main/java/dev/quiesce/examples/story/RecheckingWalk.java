package dev.quiesce.examples.story;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.scsi.RequestVisitor;

/**
 * The second generation: a task in the backend's context walks the list. It double-checks the
 * context when it runs, and if the backend has moved it follows. Nothing counts it (WALK-6 to
 * WALK-8).
 */
final class RecheckingWalk implements WalkUnderTest {
    private final Disk disk;

    RecheckingWalk(Disk disk) {
        this.disk = disk;
    }

    @Override
    public String title() {
        return "Before: a task double-checks the context, then walks";
    }

    @Override
    public void forEachRequest(RequestVisitor visitor) {
        new Check(visitor).postTo(disk.backend().context());
    }

    @Override
    public void purge() {
        forEachRequest(disk::cancel);
        DrainedSection.begin(disk.backend()).close();
    }

    /**
     * The check, and then the walk. They are two tasks because on a thread anything may happen
     * between two statements, and here between two tasks only.
     */
    private final class Check extends Task {
        private final RequestVisitor visitor;
        private AioContext here;

        Check(RequestVisitor visitor) {
            this.visitor = visitor;
            this.here = disk.backend().context();
        }

        void postTo(AioContext context) {
            here = context;
            context.post(this);
        }

        @Override
        protected void run() {
            AioContext now = disk.backend().context();
            if (now != here) {
                postTo(now);
            } else {
                here.defer(new Visit(visitor));
            }
        }

        @Override
        public String describe() {
            return "is " + here.name() + " still the context of the disk?";
        }
    }

    private final class Visit extends Task {
        private final RequestVisitor visitor;

        Visit(RequestVisitor visitor) {
            this.visitor = visitor;
        }

        @Override
        protected void run() {
            disk.unit().forEachListed(visitor);
        }

        @Override
        public String describe() {
            return "it was: walks over the requests";
        }
    }
}
