package dev.quiesce.driver.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A real channel whose positional calls go through a {@link HookedHost}; no others are used. */
final class HookedChannel extends FileChannel {
    private final HookedHost host;
    private final FileChannel real;

    HookedChannel(HookedHost host, FileChannel real) {
        this.host = host;
        this.real = real;
    }

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
        return host.read(real, dst, position);
    }

    @Override
    public int write(ByteBuffer src, long position) throws IOException {
        return host.write(real, src, position);
    }

    @Override
    public void force(boolean metaData) throws IOException {
        host.force(real, metaData);
    }

    @Override
    public long size() throws IOException {
        return host.size(real);
    }

    @Override
    protected void implCloseChannel() throws IOException {
        host.close(real);
    }

    @Override
    public int read(ByteBuffer dst) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer src) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long newPosition) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel truncate(long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel src, long position, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }
}
