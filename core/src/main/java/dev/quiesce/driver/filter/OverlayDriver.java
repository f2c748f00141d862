package dev.quiesce.driver.filter;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Child;
import dev.quiesce.driver.NodeAccess;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Copy-on-write over a base that is never written: what is written stays in memory and is lost when
 * the driver is closed. Memory is taken in clusters of 64 KiB; which of their sectors of 512 bytes
 * are here is remembered one by one, so a write needs nothing from the base. Zeroed and discarded
 * ranges read as zeroes and take only bookkeeping.
 *
 * <p>Requests are aligned to a sector, or to the base's alignment if that is larger. The length is
 * the base's, rounded up to that; the tail reads as zeroes until it is written. From the first
 * truncate on the length is the overlay's own: the base is not touched, and what was once cut off
 * is never seen again. One range of zeroes, written or discarded, is at most 1 GiB.
 *
 * <p>Durability: a flush completes at once. All that was written before it is as safe as anything
 * here ever is: it survives every drained section, move and reset; nothing survives the process.
 *
 * <p>Concurrent. Requests that overlap in time and range leave each byte as one of them wanted it.
 */
public final class OverlayDriver implements BlockDriver {
    /** Bounds the time one request may spend inside submit: 16,384 clusters. */
    private static final long MAX_ZEROES_BYTES = 1L << 30;
    private static final int SHARDS = 64;
    private static final BlockLimits LIMITS = BlockLimits.unlimited()
            .withAlignment(OverlayCluster.SECTOR_BYTES, 1)
            .withBounds(BlockLimits.UNLIMITED, MAX_ZEROES_BYTES, MAX_ZEROES_BYTES)
            .withDiscard(OverlayCluster.SECTOR_BYTES, true);

    private final OverlaySpace space;
    private final OverlayShard[] shards = new OverlayShard[SHARDS];

    /** Written by control before the first request, read by any. */
    private volatile @Nullable NodeAccess opened;

    /** Written by any, read by any: what {@link #limitsOver} made last. */
    private volatile BlockLimits limits = LIMITS;

    /**
     * Null until the first truncate: as far as the base goes at the moment. Replaced under the
     * monitor, read by any.
     */
    private volatile @Nullable OverlayExtent extent;

    /**
     * Makes an overlay in which everything is still the base's.
     *
     * <p>Thread: any.
     *
     * @param config how it keeps what is written
     */
    public OverlayDriver(OverlayConfig config) {
        space = new OverlaySpace(config.maxBytes());
        Arrays.setAll(shards, i -> new OverlayShard(space));
    }

    @Override
    public String type() {
        return "overlay";
    }

    @Override
    public BlockLimits limits() {
        NodeAccess node = opened;
        return node == null ? LIMITS : limitsOver(node.child(0));
    }

    @Override
    public long lengthBytes() {
        return lengthIn(OnlyChild.opened(type(), opened));
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    /**
     * How much memory is taken, bookkeeping included.
     *
     * <p>Thread: any.
     *
     * @return the bytes, at most {@link OverlayConfig#maxBytes}
     */
    public long usedBytes() {
        return space.used();
    }

    @Override
    public void opened(NodeAccess node) {
        OnlyChild.require(type(), node);
        opened = node;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        if (!fits(request, node)) {
            request.complete(BlockStatus.INVALID, null);
            return;
        }
        switch (request.operation()) {
            case READ -> readOf(request).start(node.child(0));
            case WRITE, WRITE_ZEROES, DISCARD -> modify(request);
            case FLUSH -> request.complete(BlockStatus.OK, null);
            case TRUNCATE -> request.complete(truncate(request.offsetBytes(), node), null);
            case STATUS, COPY -> request.complete(BlockStatus.NOT_SUPPORTED, null);
        }
    }

    private boolean fits(BlockRequest request, NodeAccess node) {
        Operation operation = request.operation();
        if (!operation.hasRange()) {
            return true;
        }
        long length = request.lengthBytes();
        boolean zeroes = operation == Operation.WRITE_ZEROES || operation == Operation.DISCARD;
        return request.isWithin(lengthIn(node))
                && limitsOver(node.child(0)).isAligned(request.offsetBytes(), length)
                && (!zeroes || length <= MAX_ZEROES_BYTES);
    }

    @Override
    public void close() {
        for (OverlayShard shard : shards) {
            shard.clear();
        }
    }

    /** How far the base is read: to its end, or to where it was cut off. */
    long baseEnd(Child base) {
        OverlayExtent now = extent;
        return now == null ? base.lengthBytes() : Math.min(base.lengthBytes(), now.baseBytes());
    }

    /** How many bytes from an offset on, at most {@code limit}, are the base's. */
    long baseRun(long offset, long limit) {
        long run = 0;
        while (run < limit) {
            long at = offset + run;
            int sectors = sectorsWithin(at, limit - run);
            int base = shardOf(at).baseRun(clusterOf(at), sectorOf(at), sectors);
            run += (long) base * OverlayCluster.SECTOR_BYTES;
            if (base < sectors) {
                break;
            }
        }
        return run;
    }

    /** Copies one run of bytes held here; returns how many, 0 if the base has the first. */
    long copyRun(long at, long limit, IoVector payload, long skip) {
        int sectors = sectorsWithin(at, limit);
        int copied = shardOf(at).copyRun(clusterOf(at), sectorOf(at), sectors, payload, skip);
        return (long) copied * OverlayCluster.SECTOR_BYTES;
    }

    private void modify(BlockRequest request) {
        BlockStatus status;
        Throwable cause = null;
        try {
            status = modifyClusters(request) ? BlockStatus.OK : BlockStatus.NO_SPACE;
        } catch (OutOfMemoryError e) {
            status = BlockStatus.NO_SPACE;
            cause = e;
        }
        request.complete(status, cause);
    }

    /** Goes cluster by cluster; false at the first for which there is no space. */
    private boolean modifyClusters(BlockRequest request) {
        boolean write = request.operation().hasPayload();
        long length = request.lengthBytes();
        for (long done = 0; done < length; ) {
            long at = request.offsetBytes() + done;
            int sectors = sectorsWithin(at, length - done);
            OverlayShard shard = shardOf(at);
            boolean stored = write
                    ? shard.write(clusterOf(at), sectorOf(at), sectors, request.payload(), done)
                    : shard.zero(clusterOf(at), sectorOf(at), sectors);
            if (!stored) {
                return false;
            }
            done += (long) sectors * OverlayCluster.SECTOR_BYTES;
        }
        return true;
    }

    /**
     * To cut, the length is lowered before what is behind it is forgotten. What a request that was
     * let in before stores there afterwards is forgotten when the length is raised again.
     */
    private synchronized BlockStatus truncate(long bytes, NodeAccess node) {
        Child base = node.child(0);
        if (bytes < 0 || bytes > Long.MAX_VALUE - limitsOver(base).requestAlignmentBytes()) {
            return BlockStatus.INVALID;
        }
        long before = lengthIn(node);
        long after = roundUp(bytes, base);
        OverlayExtent next = new OverlayExtent(
                after, Math.min(baseEnd(base), Math.min(before, after)));
        if (after < before) {
            extent = next;
        }
        for (OverlayShard shard : shards) {
            shard.zeroFrom(Math.min(before, after));
        }
        extent = next;
        return BlockStatus.OK;
    }

    private OverlayRead readOf(BlockRequest request) {
        if (request.driverState() instanceof OverlayRead read && read.isOf(this)) {
            return read;
        }
        OverlayRead fresh = new OverlayRead(this, request);
        request.driverState(fresh);
        return fresh;
    }

    private long lengthIn(NodeAccess node) {
        OverlayExtent now = extent;
        Child base = node.child(0);
        return now == null ? roundUp(base.lengthBytes(), base) : now.lengthBytes();
    }

    private long roundUp(long bytes, Child base) {
        int alignment = limitsOver(base).requestAlignmentBytes();
        return (bytes + alignment - 1) & -alignment;
    }

    /** Made anew when the base's alignments have changed: it may be another one by now. */
    private BlockLimits limitsOver(Child base) {
        BlockLimits below = base.limits();
        BlockLimits known = limits;
        int alignment = Math.max(OverlayCluster.SECTOR_BYTES, below.requestAlignmentBytes());
        if (known.requestAlignmentBytes() != alignment
                || known.memoryAlignmentBytes() != below.memoryAlignmentBytes()) {
            known = LIMITS.withAlignment(alignment, below.memoryAlignmentBytes());
            limits = known;
        }
        return known;
    }

    private OverlayShard shardOf(long at) {
        return shards[(int) (clusterOf(at) & (SHARDS - 1))];
    }

    private static long clusterOf(long at) {
        return at / OverlayCluster.BYTES;
    }

    private static int sectorOf(long at) {
        return (int) (at % OverlayCluster.BYTES) / OverlayCluster.SECTOR_BYTES;
    }

    /** How many sectors a piece has that begins here and stays inside one cluster. */
    private static int sectorsWithin(long at, long bytes) {
        int left = OverlayCluster.SECTORS - sectorOf(at);
        return (int) Math.min(left, bytes / OverlayCluster.SECTOR_BYTES);
    }
}
