package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.Task;
import java.util.ArrayList;
import java.util.List;

/**
 * The notifiers of one cancelled request. Detached from the request when its answer is delivered,
 * and run in the settle phase of that slice: the answer was published by then (VSCSI-33). Home
 * context only.
 */
final class CancelNotice extends DeferredCall {
    private final AioContext home;
    private final List<Task> whenGone = new ArrayList<>(1);

    CancelNotice(AioContext home) {
        this.home = home;
    }

    void add(Task notifier) {
        whenGone.add(notifier);
    }

    @Override
    protected void run() {
        for (Task notifier : whenGone) {
            home.defer(notifier);
        }
    }
}
