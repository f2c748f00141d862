/**
 * Whole machines under random schedules: the real loops, gates, graph, backends and disks, with
 * conditions that are looked at after every step. A failing seed is shrunk and told as a story.
 *
 * <p>More seeds: {@code -Dquiesce.sim.seeds=100000}. One seed again: {@code -Dquiesce.sim.seed=42}.
 */
@NullMarked
package dev.quiesce.simulation;

import org.jspecify.annotations.NullMarked;
