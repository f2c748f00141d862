package dev.quiesce.examples.story;

import dev.quiesce.scsi.RequestVisitor;

/** One way to show all requests of a disk to a visitor, and to purge the disk that way. */
interface WalkUnderTest {
    /** {@return what it does, in a few words} */
    String title();

    /** Shows the visitor every listed request, now or soon. Control. */
    void forEachRequest(RequestVisitor visitor);

    /** Cancels every request and waits; when it returns, all must be gone. Control. */
    void purge();
}
