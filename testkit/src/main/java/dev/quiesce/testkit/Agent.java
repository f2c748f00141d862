package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.Parker;
import org.jspecify.annotations.Nullable;

/** Something that moves on its own: a context, a worker, an actor. Confined to its simulation. */
abstract class Agent {
    private final String name;
    private final @Nullable AioContext home;

    Agent(String name, @Nullable AioContext home) {
        this.name = name;
        this.home = home;
    }

    final String name() {
        return name;
    }

    /** The context whose thread this agent is, or null if it is a thread of its own. */
    final @Nullable AioContext home() {
        return home;
    }

    /** Whether the thread that this agent is has ended. */
    final boolean isGone() {
        return home != null && home.isGone();
    }

    /** Whether a step would do something. */
    abstract boolean isDue();

    /** Why the run cannot be over yet, or null. */
    abstract @Nullable String unfinished();

    abstract void step(Scheduler scheduler);

    /** An event loop: a step is a turn. */
    static final class Loop extends Agent {
        private final Parker.Loop loop;
        private final AioContext context;

        Loop(AioContext context, Parker.Loop loop) {
            super(context.name(), context);
            this.context = context;
            this.loop = loop;
        }

        @Override
        boolean isDue() {
            return !isGone() && loop.isDue();
        }

        @Override
        @Nullable String unfinished() {
            return null;
        }

        @Override
        void step(Scheduler scheduler) {
            try (Lease lease = context.acquire()) {
                assert lease != null;
                scheduler.turnIsOwn(context);
                context.poll(0);
            }
        }
    }
}
