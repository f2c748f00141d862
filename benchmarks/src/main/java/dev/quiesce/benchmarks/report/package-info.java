/**
 * Reads the results of a run, prints them as ratios, and says which goals were met.
 */
package dev.quiesce.benchmarks.report;
