package dev.quiesce.testkit.guest;

import java.util.Arrays;

/**
 * The buffers of one chain as the driver lists them: all the device reads, then all it writes.
 * Re-used; one thread.
 */
public final class BufferList {

    private long[] addresses = new long[4];
    private int[] lengths = new int[4];
    private int count;
    private int readable;
    private long writableBytes;

    /** Makes an empty list. */
    public BufferList() {
    }

    /**
     * Forgets all buffers.
     *
     * @return this
     */
    public BufferList clear() {
        count = 0;
        readable = 0;
        writableBytes = 0;
        return this;
    }

    /**
     * Appends a buffer the device reads.
     *
     * @param address its guest address
     * @param lengthBytes its length
     * @return this
     * @throws IllegalStateException after a writable one: a real driver never does that
     */
    public BufferList readable(long address, int lengthBytes) {
        if (readable < count) {
            throw new IllegalStateException("readable buffers come before writable ones");
        }
        add(address, lengthBytes);
        readable++;
        return this;
    }

    /**
     * Appends a buffer the device writes.
     *
     * @param address its guest address
     * @param lengthBytes its length
     * @return this
     */
    public BufferList writable(long address, int lengthBytes) {
        add(address, lengthBytes);
        writableBytes += lengthBytes;
        return this;
    }

    /**
     * How many buffers are listed.
     *
     * @return readable and writable ones
     */
    public int count() {
        return count;
    }

    /**
     * How many bytes the device may write.
     *
     * @return the sum over the writable buffers
     */
    public long writableBytes() {
        return writableBytes;
    }

    long address(int index) {
        return addresses[index];
    }

    int length(int index) {
        return lengths[index];
    }

    boolean isWritable(int index) {
        return index >= readable;
    }

    private void add(long address, int lengthBytes) {
        if (lengthBytes <= 0) {
            throw new IllegalArgumentException("a buffer of " + lengthBytes + " bytes");
        }
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, count * 2);
            lengths = Arrays.copyOf(lengths, count * 2);
        }
        addresses[count] = address;
        lengths[count] = lengthBytes;
        count++;
    }
}
