/**
 * Drivers that keep their bytes in memory, or none at all.
 */
@NullMarked
package dev.quiesce.driver.memory;

import org.jspecify.annotations.NullMarked;
