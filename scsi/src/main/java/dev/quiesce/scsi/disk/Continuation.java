package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockStatus;

/**
 * A command that is waiting for the block request of its current step. Made once per command object
 * and re-used; home context only.
 *
 * <p>Between two steps nothing is held: no lock, no count (I9). So a section may begin there, the
 * next step parks, and the command goes on after the section, or is cancelled where it parks.
 */
abstract sealed class Continuation permits CacheFlush, ReadWrite, UnmapRanges, Verify, WriteSame {
    final DiskCommand command;

    Continuation(DiskCommand command) {
        this.command = command;
    }

    /** The step's block request came back, and the command is still wanted: go on or end. */
    abstract void stepEnded(BlockStatus status);
}
