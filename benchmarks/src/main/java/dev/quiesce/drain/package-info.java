/**
 * What it costs to enter and leave a gate.
 */
package dev.quiesce.drain;
