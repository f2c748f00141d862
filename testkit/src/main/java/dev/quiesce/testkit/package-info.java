/**
 * Deterministic scheduling, virtual time, and drivers that fail or wait on demand.
 */
@NullMarked
package dev.quiesce.testkit;

import org.jspecify.annotations.NullMarked;
