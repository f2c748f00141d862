/**
 * Drivers above another node: a window onto it, a copy-on-write overlay.
 */
@NullMarked
package dev.quiesce.driver.filter;

import org.jspecify.annotations.NullMarked;
