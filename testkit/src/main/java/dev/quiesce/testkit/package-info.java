/**
 * Deterministic scheduling, virtual time, and drivers that fail or wait on demand.
 *
 * <p>Two ways to run every interleaving. {@link dev.quiesce.testkit.StepModel} runs the atomic
 * steps of one small protocol. {@link dev.quiesce.testkit.Simulation} runs whole event loops,
 * workers and actors, a callback at a time, from a seed;
 * {@link dev.quiesce.testkit.ScheduleSearch} runs a simulated
 * {@link dev.quiesce.testkit.Scenario} under every schedule with few preemptions. Neither says
 * anything about memory order: that is for jcstress.
 *
 * <p>Threads: a model or a simulation is confined to the thread that runs it. The drivers are like
 * any driver; what they offer besides may be called by any thread.
 *
 * <p>Read {@link dev.quiesce.testkit.Simulation} first.
 */
@NullMarked
package dev.quiesce.testkit;

import org.jspecify.annotations.NullMarked;
