/**
 * The driver of a host file: positional I/O on the worker seam.
 */
@NullMarked
package dev.quiesce.driver.file;

import org.jspecify.annotations.NullMarked;
