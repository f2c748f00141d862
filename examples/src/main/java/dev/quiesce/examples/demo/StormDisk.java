package dev.quiesce.examples.demo;

import dev.quiesce.testkit.guest.FoundDisk;

/**
 * A disk in the storm.
 *
 * @param disk as probed
 * @param content what it must contain
 */
record StormDisk(FoundDisk disk, DiskContent content) {
}
