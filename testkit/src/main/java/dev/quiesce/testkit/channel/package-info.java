/**
 * Channels without an operating system: pipes, and the selectors that find them ready, for a
 * simulation that decides what happens when. They are the JDK's own abstract classes, so loops and
 * handlers cannot tell them from real ones. Knows no loop and no simulation; those get their pipes
 * from {@code dev.quiesce.testkit.Simulation.pipe}. Confined to the thread of the simulation.
 *
 * <p>Read first: {@link dev.quiesce.testkit.channel.SimulatedPipe}.
 */
@NullMarked
package dev.quiesce.testkit.channel;

import org.jspecify.annotations.NullMarked;
