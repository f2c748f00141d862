/**
 * Tests of the back end: messages as bytes, memory and descriptors as the kernel counts them, and
 * whole sessions of a front end written for the purpose, which drives the mock guest's rings over
 * shared memory.
 */
@NullMarked
package dev.quiesce.vhostuser;

import org.jspecify.annotations.NullMarked;
