package dev.quiesce.vhostuser;

import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * The sending end of the protocol, message by message. Written from the document, not from the back
 * end's classes, but for the layouts of payloads, which {@link PayloadTest} holds to literal bytes.
 */
final class FrontEnd implements AutoCloseable {
    static final int VERSION = 1;
    static final int NEED_REPLY = 8;
    private static final int ANCILLARY_BYTES = 256;

    private final AFUNIXSocket socket;

    FrontEnd(Path path) throws IOException {
        socket = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(path));
        socket.setAncillaryReceiveBufferSize(ANCILLARY_BYTES);
    }

    /** Sends a message without asking for anything. */
    void send(int request, Consumer<ByteBuffer> payload, FileDescriptor... descriptors)
            throws IOException {
        sendRaw(request, VERSION, payload, descriptors);
    }

    /** Sends a message and asks for the acknowledgement, which says zero for granted. */
    long acknowledged(int request, Consumer<ByteBuffer> payload, FileDescriptor... descriptors)
            throws IOException {
        sendRaw(request, VERSION | NEED_REPLY, payload, descriptors);
        return reply(request).getLong();
    }

    /** Sends a message that has an answer of its own, and waits for that. */
    ByteBuffer ask(int request, Consumer<ByteBuffer> payload) throws IOException {
        sendRaw(request, VERSION, payload);
        return reply(request);
    }

    long askNumber(int request) throws IOException {
        return ask(request, payload -> { }).getLong();
    }

    /** The descriptors that came with the last answer, now the caller's. */
    FileDescriptor[] takeDescriptors() throws IOException {
        return socket.getReceivedFileDescriptors();
    }

    void sendRaw(int request, int flags, Consumer<ByteBuffer> payload,
            FileDescriptor... descriptors) throws IOException {
        ByteBuffer body = buffer(4096);
        payload.accept(body);
        body.flip();
        ByteBuffer frame = buffer(12 + body.remaining());
        frame.putInt(request).putInt(flags).putInt(body.remaining()).put(body);
        sendBytes(bytesOf(frame), descriptors);
    }

    void sendBytes(byte[] bytes, FileDescriptor... descriptors) throws IOException {
        if (descriptors.length > 0) {
            socket.setOutboundFileDescriptors(descriptors);
        }
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    /** Says that nothing more will come; what the back end does can still be seen. */
    void endOutput() throws IOException {
        socket.getChannel().shutdownOutput(); // On newer JDKs Socket takes it for not connected.
    }

    /** Waits until everything sent so far was taken: a question's answer comes after it. */
    void settle() throws IOException {
        askNumber(1);
    }

    /** Waits for the back end to close the connection. */
    void awaitClosed() throws IOException {
        byte[] rest = new byte[4096];
        int count = 0;
        try {
            while (count >= 0) {
                count = socket.getInputStream().read(rest);
            }
        } catch (SocketException reset) {
            // The back end closed while something was still on its way to it.
            count = -1;
        }
    }

    ByteBuffer reply(int request) throws IOException {
        ByteBuffer header = read(12);
        int answered = header.getInt();
        int flags = header.getInt();
        int size = header.getInt();
        if (answered != request || flags != (VERSION | 4)) {
            throw new IOException("answer to " + answered + " with flags " + flags
                    + " instead of one to " + request);
        }
        return read(size);
    }

    private ByteBuffer read(int bytes) throws IOException {
        byte[] array = new byte[bytes];
        InputStream in = socket.getInputStream();
        for (int at = 0; at < bytes;) {
            int count = in.read(array, at, bytes - at);
            if (count < 0) {
                throw new EOFException("the back end closed the connection");
            }
            at += count;
        }
        return ByteBuffer.wrap(array).order(ByteOrder.nativeOrder());
    }

    private static byte[] bytesOf(ByteBuffer frame) {
        byte[] bytes = new byte[frame.position()];
        frame.get(0, bytes);
        return bytes;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
