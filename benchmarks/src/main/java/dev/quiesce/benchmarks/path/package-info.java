/**
 * What a request costs on its way through the block layer, and a chain on its way through a ring:
 * for scale, beside the budget of the design. All of it on one thread, except the file's workers.
 */
package dev.quiesce.benchmarks.path;
