package dev.quiesce.virtio.scsi;

import dev.quiesce.block.IoVector;
import dev.quiesce.block.LateFaults;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import dev.quiesce.virtio.queue.Chain;

/**
 * The record of one head of a request queue: the chain that is out, the SCSI request it became,
 * and the vectors that point into guest memory. Made when a head is first seen and re-used ever
 * after (I8). Confined to the queue's context.
 */
final class Command {
    final int head;
    final ScsiRequest request;
    final IoVector dataOut = new IoVector();
    final IoVector dataIn = new IoVector();
    final byte[] cdb = new byte[MAX_CDB_BYTES];
    int senseSizeBytes;

    private static final int MAX_CDB_BYTES = 255;
    private final SegmentSink outSink = (base, offset, length) -> {
        dataOut.add(base, offset, length);
        return true;
    };
    private final SegmentSink inSink = (base, offset, length) -> {
        dataIn.add(base, offset, length);
        return true;
    };
    private final LateFaults faults = this::surfaceFaults;
    private Chain chain = new Chain();

    Command(int head, HostAdapter host) {
        this.head = head;
        request = new ScsiRequest(host);
        request.hbaData = this;
    }

    Chain chain() {
        return chain;
    }

    /** Takes a popped chain and gives the record's former one for the next pop. */
    Chain exchange(Chain popped) {
        Chain former = chain;
        chain = popped;
        return former;
    }

    /**
     * Memory that vanished under the data must show where it was touched, not where the JVM notices
     * it later. Whoever has the data may ask, on any thread.
     */
    void surfaceFaults() {
        MemoryMap memory = chain.memory();
        if (memory != null) {
            memory.surfaceFaults();
        }
    }

    /** Lets go of guest memory; the record is not in use. */
    void forgetMemory() {
        chain.clear();
        dataOut.clear();
        dataIn.clear();
    }

    /** Points the vectors at the data parts behind the headers. */
    void mapData(int requestHeaderBytes, int responseHeaderBytes) {
        dataOut.clear();
        dataIn.clear();
        dataOut.surfaceFaultsBy(faults);
        dataIn.surfaceFaultsBy(faults);
        long out = chain.readableBytes() - requestHeaderBytes;
        long in = chain.writableBytes() - responseHeaderBytes;
        if (out > 0) {
            chain.readable(requestHeaderBytes, out, outSink);
        }
        if (in > 0) {
            chain.writable(responseHeaderBytes, in, inSink);
        }
    }
}
