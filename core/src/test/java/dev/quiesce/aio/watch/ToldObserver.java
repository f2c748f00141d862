package dev.quiesce.aio.watch;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes down what it is told: callbacks of 10 ns and more, turns of 20 ns and more. Cannot, and
 * throws, if it is given a list that is fixed.
 */
public class ToldObserver implements LoopObserver {
    public final List<String> told;

    public ToldObserver() {
        this(new ArrayList<>());
    }

    public ToldObserver(List<String> told) {
        this.told = told;
    }

    @Override
    public long slowCallbackNanos() {
        return 10;
    }

    @Override
    public long longTurnNanos() {
        return 20;
    }

    @Override
    public void onSlowCallback(String loop, String callback, long tookNanos) {
        told.add(loop + ": " + callback + " " + tookNanos);
    }

    @Override
    public void onLongTurn(String loop, long tasks, long tookNanos) {
        told.add(loop + ": turn of " + tasks + " tasks " + tookNanos);
    }
}
