/**
 * Programs of one idea each, and the command line.
 */
@NullMarked
package dev.quiesce.examples;

import org.jspecify.annotations.NullMarked;
