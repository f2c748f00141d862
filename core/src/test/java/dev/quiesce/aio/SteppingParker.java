package dev.quiesce.aio;

import java.nio.channels.Selector;
import java.util.function.Supplier;

/**
 * For loops that the test's own thread steps: nobody else runs but while one parks, and what
 * happens then is the test's to say. There are no channels.
 */
public abstract class SteppingParker implements Parker.Stepping {
    @Override
    public Selector openSelector(AioContext context) {
        throw new UnsupportedOperationException("no channels here: " + context);
    }

    @Override
    public void adopt(AioContext context, Parker.Loop loop) {
        // No loop of these is ended from outside.
    }

    @Override
    public void turnBegins(AioContext context, long maxWaitNanos) {
        // Nobody else is to run.
    }

    @Override
    public void callbackBegins(AioContext context, Supplier<String> what) {
        // Nobody tells the story.
    }

    @Override
    public int tasksPerSlice(AioContext context) {
        return Integer.MAX_VALUE;
    }
}
