/**
 * What loops cost that have nothing to do.
 */
package dev.quiesce.benchmarks.idle;
