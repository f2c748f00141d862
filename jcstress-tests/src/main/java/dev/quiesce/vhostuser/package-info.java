/**
 * Memory-order questions about serving other processes, asked as in {@code dev.quiesce.drain}.
 */
package dev.quiesce.vhostuser;
