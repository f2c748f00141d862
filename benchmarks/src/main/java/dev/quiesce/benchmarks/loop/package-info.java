/**
 * What a task costs on our loops and on those of others: asked for by its own loop, handed over by
 * another thread, sent to and fro between two loops. One contender a fork, all in one run.
 *
 * <p>Read first: {@link dev.quiesce.benchmarks.loop.Contender}.
 */
package dev.quiesce.benchmarks.loop;
