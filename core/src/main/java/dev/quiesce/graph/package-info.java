/**
 * The control plane of one machine: nodes, edges, edits, and context changes.
 */
@NullMarked
package dev.quiesce.graph;

import org.jspecify.annotations.NullMarked;
