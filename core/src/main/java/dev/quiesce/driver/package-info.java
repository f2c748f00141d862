/**
 * The block request, and what a driver must implement to serve one.
 */
@NullMarked
package dev.quiesce.driver;

import org.jspecify.annotations.NullMarked;
