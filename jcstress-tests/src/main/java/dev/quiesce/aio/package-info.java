/**
 * Memory-order questions about the event loop, asked as in {@code dev.quiesce.drain}.
 */
package dev.quiesce.aio;
