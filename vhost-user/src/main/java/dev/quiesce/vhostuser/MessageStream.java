package dev.quiesce.vhostuser;

import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.FileDescriptorCast;

/**
 * Cuts a byte stream with descriptors into messages, and writes replies. Session thread.
 *
 * <p>Reads twelve bytes, then as many as they announce, never more: what follows may come with
 * descriptors of its own (VHU-2).
 */
final class MessageStream implements AutoCloseable {
    private final InputStream in;
    private final OutputStream out;
    private final Descriptors descriptors;
    private @Nullable ReceivedDescriptors current;

    /** How descriptors arrive and leave. */
    interface Descriptors {
        /** Everything received since the last call, now the caller's. */
        FileDescriptor[] received() throws IOException;

        /** Goes along with what is written next; stays the caller's. */
        void send(FileDescriptor descriptor) throws IOException;
    }

    MessageStream(InputStream in, OutputStream out, Descriptors descriptors) {
        this.in = in;
        this.out = out;
        this.descriptors = descriptors;
    }

    /**
     * Waits for the next message. Descriptors of the message before that nobody took are closed.
     *
     * @return the message, or null if the front end left between two messages
     * @throws Violation if it cannot be a message
     * @throws EOFException if the stream ended in the middle of one
     */
    @Nullable Message next() throws IOException, Violation {
        close();
        ReceivedDescriptors received = new ReceivedDescriptors();
        current = received;
        ByteBuffer head = ByteBuffer.allocate(MessageHeader.BYTES).order(ByteOrder.nativeOrder());
        if (!fill(head, received, true)) {
            return null;
        }
        MessageHeader header = MessageHeader.decode(head);
        header.check();
        ByteBuffer payload =
                ByteBuffer.allocate(header.sizeBytes()).order(ByteOrder.nativeOrder());
        fill(payload, received, false);
        return new Message(header, payload, received);
    }

    /** Sends a reply; returns when the socket has taken it. */
    void reply(int request, ByteBuffer payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(MessageHeader.BYTES + payload.remaining())
                .order(ByteOrder.nativeOrder());
        MessageHeader.reply(request, payload.remaining()).encode(frame);
        frame.put(payload);
        out.write(frame.array());
        out.flush();
    }

    /** Sends a reply, with a descriptor if there is one, which stays the caller's. */
    void reply(int request, ByteBuffer payload, @Nullable FileDescriptor descriptor)
            throws IOException {
        if (descriptor != null) {
            descriptors.send(descriptor);
        }
        reply(request, payload);
    }

    /** Closes descriptors that nobody took; the stream can be used on. */
    @Override
    public void close() {
        ReceivedDescriptors left = current;
        if (left != null) {
            left.close();
        }
        current = null;
    }

    /** Fills a buffer and rewinds it; false if `mayEnd` and the stream ends before it begins. */
    private boolean fill(ByteBuffer buffer, ReceivedDescriptors received, boolean mayEnd)
            throws IOException, Violation {
        while (buffer.hasRemaining()) {
            int count = in.read(
                    buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
            received.add(descriptors.received());
            if (received.count() > ReceivedDescriptors.MAX) {
                throw Violation.ofStream(received.count() + " descriptors in one message");
            }
            if (count < 0) {
                if (mayEnd && buffer.position() == 0) {
                    return false;
                }
                throw new EOFException("the connection ended within a message");
            }
            buffer.position(buffer.position() + count);
        }
        buffer.rewind();
        return true;
    }

    /** A connection, and what comes and goes along with its bytes. Session thread. */
    static final class Connection implements Descriptors, AutoCloseable {
        /*
         * When the library finds that nobody is there any more to be written to, it closes the
         * socket object with every descriptor that came over it, whoever uses them just then. So
         * there are two objects, over the connection's descriptor and over a duplicate: over the
         * one that is written to nothing ever comes.
         */
        private static final int ANCILLARY_BYTES = 1024;
        private static final byte[] NOTHING = {};

        private final AFUNIXSocket receiving;
        private final AFUNIXSocket sending;
        private final FileDescriptor duplicate;
        private final InputStream in;
        private final OutputStream out;

        /** Takes a socket over, unless this fails. */
        Connection(AFUNIXSocket socket) throws IOException {
            this.receiving = socket;
            this.in = socket.getInputStream();
            socket.setAncillaryReceiveBufferSize(ANCILLARY_BYTES);
            this.duplicate = FileDescriptorCast.duplicating(socket.getFileDescriptor())
                    .getFileDescriptor();
            try {
                this.sending = FileDescriptorCast.using(duplicate).as(AFUNIXSocket.class);
                this.out = sending.getOutputStream();
            } catch (IOException | RuntimeException e) {
                closeDuplicate();
                throw e;
            }
        }

        /** What the front end says, and what it passed with it. */
        MessageStream stream() {
            return new MessageStream(in, out, this);
        }

        /** Looks whether the front end is there: sends nothing, and fails if nobody is. */
        void check() throws IOException {
            out.write(NOTHING);
        }

        @Override
        public FileDescriptor[] received() throws IOException {
            return receiving.getReceivedFileDescriptors();
        }

        @Override
        public void send(FileDescriptor descriptor) throws IOException {
            sending.setOutboundFileDescriptors(descriptor);
        }

        /** Ends the stream of messages. Any thread. */
        void shutInput() throws IOException {
            // By the channel: to java.net.Socket an accepted socket of the library is not always
            // connected.
            receiving.getChannel().shutdownInput();
        }

        /** Ends both directions, and closes nothing: that is still in use. Any thread. */
        void shutDown() throws IOException {
            shutInput();
            receiving.getChannel().shutdownOutput();
        }

        /** Also closes every descriptor that came and is still open. */
        @Override
        public void close() throws IOException {
            try (receiving) {
                sending.close();
            } finally {
                closeDuplicate();
            }
        }

        /** Closing the socket over it does not, unless a write has found nobody there. */
        private void closeDuplicate() {
            if (duplicate.valid()) {
                ReceivedDescriptors.close(duplicate);
            }
        }
    }

    /**
     * One message of a front end: its header is in order, its payload complete, its descriptors
     * counted.
     *
     * @param header the header
     * @param payload the payload, host byte order, position 0
     * @param descriptors what came along; the reader of messages closes what nobody took
     */
    record Message(MessageHeader header, ByteBuffer payload, ReceivedDescriptors descriptors) {
        /** The request, or null if it is not served here. */
        @Nullable Request request() {
            return Request.of(header.request());
        }

        boolean needsReply() {
            return header.needsReply();
        }
    }
}
