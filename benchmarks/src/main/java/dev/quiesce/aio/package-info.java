/**
 * Our loop with other inboxes than the one that serves, to measure them beside it.
 */
package dev.quiesce.aio;
