/**
 * Drivers that keep their bytes in memory, or none at all: for tests, for scratch disks, and as the
 * measure of what the layer itself costs.
 *
 * <p>Threads: both drivers are concurrent and complete inside submit, in the home context of the
 * request. Read {@link dev.quiesce.driver.memory.NullDriver} first: it is the smallest driver.
 */
@NullMarked
package dev.quiesce.driver.memory;

import org.jspecify.annotations.NullMarked;
