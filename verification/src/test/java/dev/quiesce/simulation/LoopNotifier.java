package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.EventNotifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An event that goes from context to context: what was set is served, or still set. */
final class LoopNotifier extends LoopPart {
    private final EventNotifier event;
    private boolean set;
    private long dueNanos;
    private @Nullable AioContext attachedTo;
    private int attachments;
    private int services;

    LoopNotifier(LoopStory story, String name) {
        super(story, name);
        this.event = new EventNotifier(name);
    }

    @Override
    void move(@Nullable AioContext at) {
        int kind = story.nextInt(8);
        if (kind == 0) {
            clear();
        } else if (at == null || kind <= 3) {
            set();
        } else if (kind == 4 && at == attachedTo) {
            handOver(at);
        } else if (kind <= 6) {
            attach(at);
        } else {
            detach();
        }
    }

    void set() {
        story.note("sets " + name);
        if (!set) {
            set = true;
            dueNanos = story.now();
        }
        event.set();
    }

    void clear() {
        story.note("clears " + name);
        if (event.testAndClear() != set) {
            story.fail("a state that is not known", name + ", set " + set);
        }
        set = false;
    }

    void attach(AioContext at) {
        story.note("attaches " + name + " to " + at.name());
        boolean free = attachedTo == null;
        int number = attachments + 1;
        if (story.succeeds(free, () -> event.attach(at, () -> serve(number)))) {
            attachments = number;
            attachedTo = at;
            dueNanos = story.now();
        }
    }

    void detach() {
        story.note("detaches " + name);
        AioContext from = attachedTo;
        if (story.succeeds(from == null || from.isHome() || from.isGone(), event::detach)) {
            attachedTo = null;
        }
    }

    /** As a queue does that follows its disk. */
    private void handOver(AioContext at) {
        AioContext to = story.anyContext();
        detach();
        story.posts().post(at, to, () -> {
            if (attachedTo == null) {
                attach(to);
            }
        });
    }

    boolean isAttachedTo(AioContext context) {
        return context == attachedTo;
    }

    /** {@return how often its handler has run} */
    int services() {
        return services;
    }

    private void serve(int number) {
        AioContext home = attachedTo;
        if (home == null || !home.isHome() || number != attachments || !set
                || story.now() != dueNanos) {
            story.fail("a service that should not be", name + ", set " + set + " at " + dueNanos
                    + ", attached to " + home + ", now " + story.now());
            return;
        }
        set = false;
        services++;
        story.saw(attachments > 1
                ? LoopStory.Sight.SERVED_AFTER_REATTACHMENT : LoopStory.Sight.SERVED);
        story.callback(home);
    }

    @Override
    boolean isAsKnown() {
        return event.isSet() == set && event.attachedTo() == attachedTo;
    }

    @Override
    boolean isLate() {
        AioContext home = attachedTo;
        return set && home != null && !home.isGone() && story.now() > dueNanos;
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        if (set && where == attachedTo) {
            out.add("task " + name);
        }
    }

    @Override
    void addLeaks(AioContext where, List<String> out) {
        if (where == attachedTo) {
            out.add("notifier " + name + " is still attached");
        }
    }

    @Override
    void lost(AioContext where) {
        // It stays as it is, until somebody detaches it.
    }

    @Override
    void letGo(AioContext where) {
        if (where == attachedTo) {
            detach();
        }
    }
}
