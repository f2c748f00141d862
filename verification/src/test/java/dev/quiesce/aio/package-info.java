/**
 * Step models of the loop's handshakes: every interleaving of the atomic steps of the real classes.
 *
 * <p>The tests sit in the package of the classes they drive, because the steps are package-private.
 * Beside each proof stands the same program with one step moved or left out, which the explorer
 * refutes.
 */
package dev.quiesce.aio;
