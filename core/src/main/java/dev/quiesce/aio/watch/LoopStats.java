package dev.quiesce.aio.watch;

/**
 * What a loop has done since it was made. Each number by itself is right; taken while the loop
 * runs, they may be a turn apart from one another.
 *
 * @param turns turns begun, nested ones too
 * @param turnsUnderWay turns on the stack; at most 1 if some ended while that was asked
 * @param asleep whether the loop sleeps in the innermost of them
 * @param tasks tasks taken off the queue to be run by turns that have ended, those that had been
 *     cancelled too
 * @param tasksInTurnMax the most tasks of one turn, with those of turns nested in it
 * @param timersFired timers fired
 * @param parks how often the loop went to sleep
 * @param wakeUps how often it was notified while it slept; the rest ended for a timer, or for no
 *     reason
 * @param pollHits how often polling before the sleep found something, so that there was no sleep;
 *     what was found after the core was offered (AIO-50a) is counted neither here nor as a sleep
 * @param slowCallbacks callbacks that took as long as the observer calls slow
 * @param longTurns turns that took as long as the observer calls long
 * @param longestTurnNanos the longest turn that was observed, without its sleep and without turns
 *     nested in it; 0 if none was
 */
public record LoopStats(long turns, int turnsUnderWay, boolean asleep, long tasks,
        long tasksInTurnMax, long timersFired, long parks, long wakeUps, long pollHits,
        long slowCallbacks, long longTurns, long longestTurnNanos) {
    /** {@return whether a turn is under way and does not sleep} Thread: any. */
    public boolean isBusy() {
        return turnsUnderWay > 0 && !asleep;
    }
}
