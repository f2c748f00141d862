package dev.quiesce.examples.demo;

import java.nio.file.Path;

/**
 * What the demo was asked to do.
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
    static final int LUNS_MAX = 256;
    static final int QUEUES_MAX = 64;
    static final int IO_THREADS_MAX = 64;
    static final int DEPTH_MAX = 128;

    DemoConfig {
        check("--luns", luns, 1, LUNS_MAX);
        check("--queues", queues, 1, QUEUES_MAX);
        check("--iothreads", ioThreads, 0, IO_THREADS_MAX);
        check("--depth", depth, 1, DEPTH_MAX);
        check("--seconds", seconds, 0, 86_400);
    }

    boolean isSingleThreaded() {
        return ioThreads == 0;
    }

    private static void check(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    option + " must be " + least + ".." + most + ", is " + value);
        }
    }
}
