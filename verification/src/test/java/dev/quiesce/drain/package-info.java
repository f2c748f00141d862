/**
 * Step models of the gate: every interleaving of the atomic steps of the real classes.
 *
 * <p>The tests sit in the package of the classes they drive, because the steps are package-private.
 * {@code GateSteps} is what the models drive; {@code RealGateSteps} is the real gate behind it, and
 * {@code FaultyGateSteps} a small one that can be built with one chosen mistake. A model proves
 * something only because the explorer refutes it as soon as one of the mistakes is made.
 */
package dev.quiesce.drain;
