package dev.quiesce.testkit;

/**
 * What a {@link Simulation} runs: makes a fresh world, with its contexts, actors and conditions.
 * Called once for each schedule; it must do the same every time, and take what is random from
 * {@link Simulation#random()} only.
 */
@FunctionalInterface
public interface Scenario {
    /**
     * Makes the world.
     *
     * @param sim the simulation of one run
     */
    void build(Simulation sim);
}
