package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

class MessageStreamTest {
    @TempDir private Path directory;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Deque<FileDescriptor[]> arriving = new ArrayDeque<>();

    @Test
    @Rule("VHU-2")
    @Rule("VHU-T11")
    void shouldPutMessagesTogetherHoweverTheyAreSplit() throws Exception {
        byte[] two = concat(message(8, 1, words(2, 128)), message(3, 1, new byte[0]));

        for (int size = 1; size <= two.length; size++) {
            MessageStream stream = stream(new Trickle(two, size));
            MessageStream.Message first = stream.next();
            MessageStream.Message second = stream.next();

            assertThat(first.request()).isEqualTo(Request.SET_VRING_NUM);
            assertThat(Payload.VringState.decode(first.payload()))
                    .isEqualTo(new Payload.VringState(2, 128));
            assertThat(second.request()).isEqualTo(Request.SET_OWNER);
            assertThat(stream.next()).isNull();
        }
    }

    @Test
    @Rule("VHU-2")
    @Rule("VHU-T05")
    void shouldTellAnEndWithinAMessageFromOneBetweenTwo() {
        byte[] whole = message(8, 1, words(2, 128));

        for (int length = 1; length < whole.length; length++) {
            MessageStream stream = stream(new ByteArrayInputStream(whole, 0, length));
            assertThatThrownBy(stream::next).isInstanceOf(EOFException.class);
        }
    }

    @Test
    @Rule("VHU-2")
    @Rule("VHU-T13")
    @Rule("SBUG-33")
    void shouldRefuseWhatCannotBeAMessageBeforeReadingItsPayload() {
        assertRefused(header(1, 0, 0));
        assertRefused(header(1, 2, 0));
        assertRefused(header(1, 1 | 4, 0));
        assertRefused(header(1, 1, 8));
        assertRefused(header(8, 1, 4));
        assertRefused(header(8, 1, 12));
        assertRefused(header(5, 1, 8 + 9 * 32));
        assertRefused(header(5, 1, -1));
        assertRefused(header(24, 1, 12 + 257));
        assertRefused(header(99, 1, 4097));
        assertRefused(header(99, 1, Integer.MIN_VALUE));
    }

    @Test
    @Rule("VHU-7")
    @Rule("VHU-51")
    void shouldTakeARequestThatItDoesNotKnow() throws Exception {
        MessageStream.Message message =
                stream(new ByteArrayInputStream(message(99, 9, new byte[100]))).next();

        assertThat(message.request()).isNull();
        assertThat(message.needsReply()).isTrue();
        assertThat(message.payload().remaining()).isEqualTo(100);
    }

    @Test
    @Rule("VHU-3")
    @Rule("SBUG-27")
    void shouldCloseDescriptorsThatNobodyTook() throws Exception {
        FileInputStream kept = open();
        FileInputStream ignored = open();
        arriving.add(new FileDescriptor[] {kept.getFD(), ignored.getFD()});
        MessageStream stream = stream(new ByteArrayInputStream(
                concat(message(3, 1, new byte[0]), message(3, 1, new byte[0]))));

        FileDescriptor taken = stream.next().descriptors().take();
        stream.next();

        assertThat(taken.valid()).isTrue();
        assertThat(ignored.getFD().valid()).isFalse();
        ReceivedDescriptors.close(taken);
        assertThat(taken.valid()).isFalse();
    }

    /** Others use them until they are told not to: closing them is not the library's to begin. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldKeepWhatCameWhenNobodyIsThereToBeAnswered(boolean looks) throws Exception {
        AFUNIXSocketAddress address = AFUNIXSocketAddress.of(directory.resolve("socket"));
        try (AFUNIXServerSocket listener = AFUNIXServerSocket.bindOn(address);
                AFUNIXSocket guest = AFUNIXSocket.connectTo(address);
                FileInputStream passed = open();
                MessageStream.Connection connection =
                        new MessageStream.Connection(listener.accept())) {
            guest.setOutboundFileDescriptors(passed.getFD());
            guest.getOutputStream().write(message(3, 1, new byte[0]));
            MessageStream stream = connection.stream();
            FileDescriptor taken = stream.next().descriptors().take();
            connection.check();
            guest.close();

            assertThatThrownBy(() -> {
                if (looks) {
                    connection.check();
                } else {
                    stream.reply(1, ByteBuffer.allocate(Long.BYTES));
                }
            }).isInstanceOf(IOException.class);

            assertThat(taken.valid()).isTrue();
            connection.close();
            assertThat(taken.valid()).isFalse();
        }
    }

    @Test
    @Rule("VHU-1")
    @Rule("VHU-3")
    void shouldRefuseAndCloseMoreThanEightDescriptors() throws Exception {
        FileInputStream[] files = new FileInputStream[9];
        FileDescriptor[] descriptors = new FileDescriptor[9];
        for (int i = 0; i < files.length; i++) {
            files[i] = open();
            descriptors[i] = files[i].getFD();
        }
        arriving.add(descriptors);
        MessageStream stream = stream(new ByteArrayInputStream(message(3, 1, new byte[0])));

        assertThatThrownBy(stream::next).isInstanceOf(Violation.class);
        stream.close();

        for (FileDescriptor descriptor : descriptors) {
            assertThat(descriptor.valid()).isFalse();
        }
    }

    @Test
    @Rule("VHU-1")
    void shouldMarkARepliesHeader() throws IOException {
        stream(new ByteArrayInputStream(new byte[0])).reply(1, ByteBuffer.wrap(new byte[8]));

        assertThat(out.toByteArray()).isEqualTo(message(1, 1 | 4, new byte[8]));
    }

    private void assertRefused(byte[] header) {
        byte[] padded = concat(header, new byte[8192]);
        ByteArrayInputStream in = new ByteArrayInputStream(padded);

        assertThatThrownBy(() -> stream(in).next()).isInstanceOf(Violation.class);
        assertThat(in.available()).isEqualTo(8192);
    }

    private MessageStream stream(InputStream in) {
        return new MessageStream(in, out, new MessageStream.Descriptors() {
            @Override
            public FileDescriptor[] received() {
                FileDescriptor[] some = arriving.poll();
                return some == null ? new FileDescriptor[0] : some;
            }

            @Override
            public void send(FileDescriptor descriptor) {
                throw new AssertionError("no answer here has a descriptor");
            }
        });
    }

    private FileInputStream open() throws IOException {
        Path file = directory.resolve("file");
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        return new FileInputStream(file.toFile());
    }

    private static byte[] header(int request, int flags, int size) {
        return words(request, flags, size);
    }

    private static byte[] message(int request, int flags, byte[] payload) {
        return concat(header(request, flags, payload.length), payload);
    }

    private static byte[] words(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * words.length).order(ByteOrder.nativeOrder());
        for (int word : words) {
            buffer.putInt(word);
        }
        return buffer.array();
    }

    private static byte[] concat(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
    }

    /** Gives at most so many bytes per read. */
    private static final class Trickle extends ByteArrayInputStream {
        private final int size;

        Trickle(byte[] bytes, int size) {
            super(bytes);
            this.size = size;
        }

        @Override
        public synchronized int read(byte[] target, int offset, int length) {
            return super.read(target, offset, Math.min(size, length));
        }
    }
}
