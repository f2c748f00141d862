/**
 * Event loops: one context per loop, and the tasks, timers and notifiers it serves.
 */
@NullMarked
package dev.quiesce.aio;

import org.jspecify.annotations.NullMarked;
