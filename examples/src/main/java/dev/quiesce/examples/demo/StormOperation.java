package dev.quiesce.examples.demo;

import java.util.SplittableRandom;

/** What the guest does to its disks. */
enum StormOperation {
    READ, WRITE, WRITE_SAME, UNMAP, FLUSH;

    /** Half reads, a third writes, some of the rest. */
    static StormOperation choose(SplittableRandom random) {
        int dice = random.nextInt(100);
        if (dice < 50) {
            return READ;
        }
        if (dice < 82) {
            return WRITE;
        }
        if (dice < 90) {
            return WRITE_SAME;
        }
        return dice < 97 ? UNMAP : FLUSH;
    }

    boolean changesContent() {
        return this == WRITE || this == WRITE_SAME || this == UNMAP;
    }
}
