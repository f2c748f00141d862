package dev.quiesce.examples.demo;

import java.nio.file.Path;

/**
 * What the demo was asked to do; {@link DemoCommand} keeps each value in its range.
 *
 * @param image the disk image
 * @param luns number of disks
 * @param queues number of request queues
 * @param ioThreads number of IOThreads; 0 runs everything on the caller's thread
 * @param depth commands per queue
 * @param seconds how long the storm lasts
 * @param seed of every random choice
 * @param steps bound of the storm in steps, for repeatable runs; {@link Long#MAX_VALUE} for none
 */
record DemoConfig(
        Path image,
        int luns,
        int queues,
        int ioThreads,
        int depth,
        int seconds,
        long seed,
        long steps) {
    boolean isSingleThreaded() {
        return ioThreads == 0;
    }

    /** Memory that each disk's overlay may take: together half of the heap. */
    long overlayBytes() {
        return Runtime.getRuntime().maxMemory() / 2 / luns;
    }
}
