package dev.quiesce.verification.virtioscsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Parker;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Lets others act where the loop pauses or sleeps, and a clock pass that only it moves. */
final class PausingParker implements Parker {
    final Queue<Runnable> pauses = new ArrayDeque<>();
    Runnable whenParked = () -> { };
    long nowNanos;
    int parks;
    int bells;
    int bellsInPauses;
    int bellsInParks;

    void reset() {
        parks = 0;
        bells = 0;
        bellsInPauses = 0;
        bellsInParks = 0;
    }

    @Override
    public void park(AioContext context, long maxNanos) {
        parks++;
        nowNanos += TimeUnit.MICROSECONDS.toNanos(10);
        Runnable now = whenParked;
        whenParked = () -> { };
        int before = bells;
        now.run();
        bellsInParks += bells - before;
    }

    @Override
    public void unpark(AioContext context, @Nullable Thread owner) {
        // A park returns in any case.
    }

    @Override
    public void pause(AioContext context) {
        nowNanos += TimeUnit.MICROSECONDS.toNanos(1);
        Runnable now = pauses.poll();
        if (now != null) {
            int before = bells;
            now.run();
            bellsInPauses += bells - before;
        }
    }
}
