/**
 * The block backend: a device's handle on a graph, with its gate and its ports.
 */
@NullMarked
package dev.quiesce.backend;

import org.jspecify.annotations.NullMarked;
