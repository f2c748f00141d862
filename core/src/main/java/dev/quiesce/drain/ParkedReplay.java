package dev.quiesce.drain;

import dev.quiesce.aio.Task;

/**
 * Starts a task that was parked while its gate was quiesced. Given to {@link Gate#lane}.
 */
@FunctionalInterface
public interface ParkedReplay {
    /**
     * Submits a task that was parked on the lane. Called in the lane's home context, oldest first,
     * with a count already taken for the task (DRAIN-23): the callee owns that count and gives it
     * back with {@link Lane#leaveAtSliceEnd()} as for any admitted task. It must not look at the
     * gate again (DRAIN-24), must not poll and must not wait.
     *
     * <p>If it throws, the task is regarded as handed over: its count stays with the callee, and
     * the remaining parked tasks are replayed all the same.
     *
     * @param parked the task that was given to {@link Lane#parkUnlessOpen}
     */
    void replay(Task parked);
}
