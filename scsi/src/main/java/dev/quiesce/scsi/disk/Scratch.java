package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.IoVector;
import java.nio.ByteBuffer;

/**
 * A command's own buffer, for steps whose bytes are not the initiator's: patterns that are written,
 * blocks that are read to be compared. Made when a command first needs one, then kept. Home context
 * only.
 */
final class Scratch {
    /** The most bytes of one such step. */
    static final int SIZE_BYTES = 1 << 16;

    private final ByteBuffer buffer;
    private final int alignmentBytes;
    private final IoVector vector = new IoVector();

    Scratch(int alignmentBytes) {
        this.alignmentBytes = alignmentBytes;
        this.buffer = ByteBuffer.allocateDirect(SIZE_BYTES + alignmentBytes - 1)
                .alignedSlice(alignmentBytes);
    }

    boolean fits(BlockLimits limits) {
        return alignmentBytes >= limits.memoryAlignmentBytes();
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** The first bytes of the buffer as a payload. */
    IoVector vector(long lengthBytes) {
        vector.clear();
        vector.add(buffer, 0, (int) lengthBytes);
        return vector;
    }
}
