package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;

/**
 * The buffer in which a back end keeps track of what it has in flight, as its front end holds it.
 * Reads it by the offsets of the document, not by the back end's classes.
 */
final class InflightMemory implements AutoCloseable {
    private static final int PADDED_BYTES = 24;

    private final RandomAccessFile file;
    private final int queues;
    private final int entries;
    private final long size;
    private final long offset;
    private final MappedByteBuffer bytes;

    private InflightMemory(RandomAccessFile file, ByteBuffer answer) throws IOException {
        this.file = file;
        this.size = answer.getLong();
        this.offset = answer.getLong();
        this.queues = answer.getShort();
        this.entries = answer.getShort();
        bytes = file.getChannel().map(MapMode.READ_WRITE, offset, size);
        bytes.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Asks for a new buffer. */
    static InflightMemory ask(FrontEnd frontEnd, int queues, int entries) throws IOException {
        ByteBuffer answer = frontEnd.ask(31,
                payload -> describe(payload, 0, 0, queues, entries));
        FileDescriptor[] files = frontEnd.takeDescriptors();
        if (answer.remaining() != PADDED_BYTES || files.length != 1) {
            throw new IOException("an answer of " + answer.remaining() + " bytes with "
                    + files.length + " descriptors");
        }
        // A descriptor of our own: the library closes what it received with its socket.
        RandomAccessFile own = new RandomAccessFile(PassedFile.nameOf(files[0]).toFile(), "rw");
        ReceivedDescriptors.close(files[0]);
        return new InflightMemory(own, answer);
    }

    /** Hands the buffer to a back end. */
    void give(FrontEnd frontEnd) throws IOException {
        frontEnd.send(32, payload -> describe(payload, size, offset, queues, entries),
                file.getFD());
    }

    static void describe(ByteBuffer payload, long size, long offset, int queues, int entries) {
        payload.putLong(size).putLong(offset).putShort((short) queues).putShort((short) entries)
                .putInt(0);
    }

    long size() {
        return size;
    }

    int queues() {
        return queues;
    }

    int entries() {
        return entries;
    }

    int version(int queue) {
        return bytes.getShort(part(queue) + 8);
    }

    int usedIndex(int queue) {
        return bytes.getShort(part(queue) + 14) & 0xFFFF;
    }

    /** How many heads of a queue are in flight. */
    int count(int queue) {
        int count = 0;
        for (int head = 0; head < entries; head++) {
            count += bytes.get(entry(queue, head));
        }
        return count;
    }

    /** Takes the memory away from under whoever has mapped it. */
    void truncate() throws IOException {
        file.setLength(0);
    }

    /** Writes what no back end does. */
    void forge(int queue, int head, int mark) {
        bytes.put(entry(queue, head), (byte) mark);
    }

    void forgeUsedIndex(int queue, int index) {
        bytes.putShort(part(queue) + 14, (short) index);
    }

    private int part(int queue) {
        return queue * ((16 + 16 * entries + 63) / 64 * 64);
    }

    private int entry(int queue, int head) {
        return part(queue) + 16 + 16 * head;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
