package dev.quiesce.aio.watch;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A loop that does not come back, as a {@link Watchdog} found it.
 *
 * @param loop the name of the loop
 * @param callback what runs there, or null if that is not known
 * @param thread the name of the thread that owns the loop, or null if it has just given it back
 * @param stack what that thread was doing, innermost frame first
 * @param stalledNanos for how long the loop has been in this turn, at least
 */
public record Stall(String loop, @Nullable String callback, @Nullable String thread,
        List<StackTraceElement> stack, long stalledNanos) {
    /**
     * Keeps a copy of the stack.
     *
     * @param loop the name of the loop
     * @param callback what runs there, or null if that is not known
     * @param thread the name of the thread that owns the loop, or null
     * @param stack what that thread was doing, innermost frame first
     * @param stalledNanos for how long the loop has been in this turn, at least
     */
    public Stall {
        stack = List.copyOf(stack);
    }

    /**
     * What an operator reads.
     *
     * @return a line, and one for each frame of the stack
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("loop ").append(loop)
                .append(" has not come back for ")
                .append(TimeUnit.NANOSECONDS.toMillis(stalledNanos)).append(" ms; it runs ")
                .append(callback == null ? "something unnamed" : callback);
        if (thread != null) {
            text.append(" on thread ").append(thread);
        }
        for (StackTraceElement frame : stack) {
            text.append(System.lineSeparator()).append("    at ").append(frame);
        }
        return text.toString();
    }
}
