/** The driver's side of a ring against the device's side, each on a thread of its own. */
package dev.quiesce.verification.ring;
