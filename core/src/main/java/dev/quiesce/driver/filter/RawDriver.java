package dev.quiesce.driver.filter;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import org.jspecify.annotations.Nullable;

/**
 * A window onto its only child: adds an offset and keeps to a length. Whatever is outside of the
 * window is never touched; it completes with {@code INVALID}. A window up to the end of the child
 * follows the child's length, and a truncate of it truncates the child; one of a fixed length keeps
 * it as long as the child is long enough, and cannot be truncated. Concurrent; forwards each
 * request itself, without a child request.
 */
public final class RawDriver implements BlockDriver {
    /** The window length that means "up to the end of the child". */
    public static final long REMAINDER = Long.MAX_VALUE;

    private final long windowOffsetBytes;
    private final long windowBytes;

    /** Written by control before the first request, read by any. */
    private volatile @Nullable NodeAccess opened;

    /**
     * Makes a window.
     *
     * <p>Thread: any.
     *
     * @param offsetBytes where in the child it begins
     * @param lengthBytes how long it is, or {@link #REMAINDER}
     * @throws IllegalArgumentException if a value is negative
     */
    public RawDriver(long offsetBytes, long lengthBytes) {
        if (offsetBytes < 0 || lengthBytes < 0) {
            throw new IllegalArgumentException("a window of " + lengthBytes + " bytes at offset "
                    + offsetBytes);
        }
        this.windowOffsetBytes = offsetBytes;
        this.windowBytes = lengthBytes;
    }

    @Override
    public String type() {
        return "raw";
    }

    @Override
    public BlockLimits limits() {
        return node().child(0).limits();
    }

    @Override
    public long lengthBytes() {
        return lengthIn(node());
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    /**
     * Checks that the window lies inside the child, and at its alignment.
     *
     * @throws IllegalArgumentException naming the window and the child if it does not
     */
    @Override
    public void opened(NodeAccess node) {
        OnlyChild.require(type(), node);
        long below = node.child(0).lengthBytes();
        int alignment = node.child(0).limits().requestAlignmentBytes();
        boolean fits = windowOffsetBytes <= below
                && (windowBytes == REMAINDER || windowBytes <= below - windowOffsetBytes);
        if (!fits || windowOffsetBytes % alignment != 0) {
            throw new IllegalArgumentException("node " + node.name() + ": the window of "
                    + (windowBytes == REMAINDER ? "all" : windowBytes) + " bytes at offset "
                    + windowOffsetBytes + " does not fit " + node.child(0).name() + ", which has "
                    + below + " bytes and alignment " + alignment);
        }
        opened = node;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        switch (request.operation()) {
            case READ, WRITE, WRITE_ZEROES, DISCARD, STATUS -> {
                if (request.isWithin(lengthIn(node))) {
                    request.forwardShifted(node.child(0), windowOffsetBytes);
                } else {
                    request.complete(BlockStatus.INVALID, null);
                }
            }
            case FLUSH -> request.forward(node.child(0));
            case TRUNCATE -> truncate(request, node);
            case COPY -> request.complete(BlockStatus.NOT_SUPPORTED, null);
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }

    /** Only a window up to the end of the child can end elsewhere: where the child ends. */
    private void truncate(BlockRequest request, NodeAccess node) {
        if (windowBytes != REMAINDER) {
            request.complete(BlockStatus.NOT_SUPPORTED, null);
        } else if (request.offsetBytes() < 0
                || request.offsetBytes() > Long.MAX_VALUE - windowOffsetBytes) {
            request.complete(BlockStatus.INVALID, null);
        } else {
            request.forwardShifted(node.child(0), windowOffsetBytes);
        }
    }

    /** The child may have shrunk since it was opened: then so has the window. */
    private long lengthIn(NodeAccess node) {
        long below = node.child(0).lengthBytes();
        return Math.max(0, Math.min(windowBytes, below - windowOffsetBytes));
    }

    private NodeAccess node() {
        return OnlyChild.opened(type(), opened);
    }
}
