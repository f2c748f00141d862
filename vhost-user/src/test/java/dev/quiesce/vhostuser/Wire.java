package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.newsclub.net.unix.AFPipe;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketChannel;

/** A way for eight bytes at a time: a pair of sockets, or a pipe. */
final class Wire implements AutoCloseable {
    private final ReadableByteChannel from;
    private final FileDescriptor readEnd;
    private final WritableByteChannel to;
    private final FileDescriptor writeEnd;

    private Wire(ReadableByteChannel from, FileDescriptor readEnd, WritableByteChannel to,
            FileDescriptor writeEnd) {
        this.from = from;
        this.readEnd = readEnd;
        this.to = to;
        this.writeEnd = writeEnd;
    }

    /** Not the library's pairs: those leak two descriptors each. */
    static Wire ofSockets() throws IOException {
        Path path = Files.createTempFile("quiesce-wire", ".sock");
        AFUNIXSocketAddress address = AFUNIXSocketAddress.of(path);
        try (AFUNIXServerSocket listener = AFUNIXServerSocket.newInstance()) {
            Files.delete(path);
            listener.bind(address);
            AFUNIXSocketChannel to = AFUNIXSocket.connectTo(address).getChannel();
            AFUNIXSocketChannel from = listener.accept().getChannel();
            return new Wire(from, from.getFileDescriptor(), to, to.getFileDescriptor());
        } finally {
            Files.deleteIfExists(path);
        }
    }

    static Wire ofPipe() throws IOException {
        AFPipe pipe = AFUNIXSelectorProvider.getInstance().openPipe();
        return new Wire(pipe.source(), pipe.source().getFileDescriptor(),
                pipe.sink(), pipe.sink().getFileDescriptor());
    }

    FileDescriptor readEnd() {
        return readEnd;
    }

    FileDescriptor writeEnd() {
        return writeEnd;
    }

    void closeReadEnd() throws IOException {
        from.close();
    }

    void closeWriteEnd() throws IOException {
        to.close();
    }

    void signal() throws IOException {
        to.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder())
                .putLong(1).flip());
    }

    /** Waits for a signal; false when the other end is gone. */
    boolean await() throws IOException {
        return from.read(ByteBuffer.allocate(Long.BYTES)) > 0;
    }

    @Override
    public void close() throws IOException {
        from.close();
        to.close();
    }
}
