package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/** Beginning and end of a server. */
class ServerTest {
    @TempDir private Path directory;

    @Test
    @Rule("VHU-T07")
    void shouldShutOutItsFrontEndAndEndWhenItIsClosed() throws Exception {
        Path socket = directory.resolve("s");
        Host host = new Host(socket, 1);
        try (Machine machine = Machine.booted(socket)) {
            Host.await(host.server.closeAsync());

            machine.frontEnd.awaitClosed();
            assertThat(socket).doesNotExist();
            assertThat(host.server.status().isOpen()).isFalse();
            assertThat(host.server.device().status()).isZero();
            assertThatThrownBy(() -> new FrontEnd(socket)).isInstanceOf(IOException.class);
        }
        host.close();
    }

    @Test
    @Rule("VHU-T08")
    void shouldBeClosedTwiceAndBeforeAnybodyCame() throws Exception {
        Host host = new Host(directory.resolve("s"), 1);

        Host.await(host.server.closeAsync());
        Host.await(host.server.closeAsync());
        Host.await(host.server.closeNowAsync());

        host.close();
    }

    @Test
    @Rule("VHU-T07")
    void shouldListenAgainWhereAServerWasClosed() throws Exception {
        Path socket = directory.resolve("s");
        new Host(socket, 1).close();

        try (Host again = new Host(socket, 1); Machine machine = Machine.booted(socket)) {
            assertThat(again.server.status().sessions()).isOne();
            assertThat(machine.queues()).isEqualTo(3);
        }
    }

    @Test
    void shouldReplaceASocketThatNobodyServesAndNoOther() throws Exception {
        Path socket = directory.resolve("s");
        abandon(socket);
        assertThat(socket).exists();
        try (Host host = new Host(socket, 1)) {
            assertRefused(socket);
            assertThat(host.server.socket()).isEqualTo(socket);
        }
        assertRefused(Files.createFile(directory.resolve("file")));
        assertRefused(directory);
    }

    /** Whoever serves it need not accept anybody for that to be found out. */
    @Test
    void shouldNotWaitForWhoeverServesTheSocketAlready() throws Exception {
        Path socket = directory.resolve("s");
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            deaf.bind(UnixDomainSocketAddress.of(socket), 1);
            assertThatThrownBy(() -> connectWithoutEnd(socket, queue))
                    .isInstanceOf(SocketException.class);

            Host.await(CompletableFuture.runAsync(() -> assertRefused(socket)));
        } finally {
            for (SocketChannel each : queue) {
                each.close();
            }
        }
    }

    private static void connectWithoutEnd(Path socket, List<SocketChannel> queue)
            throws IOException {
        while (true) {
            SocketChannel next = SocketChannel.open(StandardProtocolFamily.UNIX);
            queue.add(next);
            next.configureBlocking(false);
            next.connect(UnixDomainSocketAddress.of(socket));
        }
    }

    /** For example no memory for one more thread. */
    @Test
    void shouldListenNoMoreWhenItsThreadFails() throws Exception {
        Path socket = directory.resolve("s");
        AtomicInteger threads = new AtomicInteger();
        try (Host host = new Host(directory.resolve("h"), 1); LogLines log = new LogLines()) {
            VhostUserServer<VirtioScsi> server = host.onMain(() -> VhostUserServer.listen(
                    new VhostUserConfig("failing", socket, job -> {
                        if (threads.incrementAndGet() > 1) {
                            throw new NoMoreThreads();
                        }
                        Thread thread = Host.daemon(job);
                        thread.setUncaughtExceptionHandler((at, expected) -> { });
                        return thread;
                    }),
                    (memory, interrupt) -> VirtioScsi.create(VirtioScsiConfig.of("failing", 1),
                            new ScsiBus(host.main, ScsiBusConfig.largest()), memory, interrupt)));
            try (FrontEnd frontEnd = new FrontEnd(socket); Wire kick = Wire.ofSockets()) {
                frontEnd.send(12, payload -> payload.putLong(2), kick.readEnd());
                frontEnd.awaitClosed();
            }
            log.await(1); // The thread fails after that, and says nothing if it is closed first.

            Host.await(server.closeAsync());
            assertThat(socket).doesNotExist();
            assertThat(server.status().isOpen()).isFalse();
            assertThat(log.take()).singleElement().asString()
                    .contains("failing: serves nobody any more");
            Host.await(server.device().closeAsync());
        }
    }

    private static final class NoMoreThreads extends Error {
        private static final long serialVersionUID = 1;
    }

    /** A connection is accepted, and then there is no descriptor for what is written to. */
    @Test
    void shouldSayOncePerShortageThatItHasTooFewDescriptorsForAFrontEnd() throws Exception {
        Path socket = directory.resolve("s");
        Path image = Files.write(directory.resolve("image"), new byte[1 << 20]);
        Path log = directory.resolve("log");
        try (BackEndProcess backEnd = BackEndProcess.start(
                socket, image, ProcessBuilder.Redirect.to(log.toFile()))) {
            long channels = backEnd.channels();
            for (int shortages = 1; shortages <= 2; shortages++) {
                Machine.booted(socket).close();
                Host.until(() -> Machine.quietly(backEnd::channels) == channels,
                        () -> "it has not let go of the front end");

                backEnd.leaveDescriptors(1);
                for (int i = 0; i < 3; i++) {
                    awaitDismissal(socket);
                }
                backEnd.freeDescriptors();

                assertThat(Files.readAllLines(log))
                        .filteredOn(line -> line.contains("accepting a front end failed"))
                        .hasSize(shortages);
            }
        }
    }

    private static void awaitDismissal(Path socket) throws IOException {
        try (SocketChannel guest = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            assertThat(guest.read(ByteBuffer.allocate(1))).isNegative();
        }
    }

    @Test
    void shouldNotSayThatItIsOpenWhenItsSocketFileIsGoneOrAnotherOne() throws Exception {
        Path socket = directory.resolve("s");
        Path moved = directory.resolve("moved");
        try (Host host = new Host(socket, 1)) {
            assertThat(host.server.status().isOpen()).isTrue();

            Files.move(socket, moved);
            assertThat(host.server.status().isOpen()).isFalse();
            abandon(socket);
            assertThat(host.server.status().isOpen()).isFalse();
            Files.move(moved, socket, StandardCopyOption.ATOMIC_MOVE);
            assertThat(host.server.status().isOpen()).isTrue();
        }
    }

    /** The library accepts nobody any more then, not even who comes by the other name. */
    @Test
    void shouldSayOncePerReplacementThatItsSocketFileIsAnotherOne() throws Exception {
        Path socket = directory.resolve("s");
        Path moved = directory.resolve("moved");
        try (Host host = new Host(socket, 1); LogLines log = new LogLines()) {
            Files.createLink(moved, socket);
            Files.move(Files.createFile(directory.resolve("first")), socket,
                    StandardCopyOption.ATOMIC_MOVE);
            Host.until(() -> {
                knock(moved);
                return !log.isEmpty();
            }, () -> "it accepts whoever comes");
            host.awaitTries(3);
            assertThat(log.take()).singleElement().asString()
                    .contains("test: ", socket + " is not its socket any more");

            Files.move(Files.createFile(directory.resolve("second")), socket,
                    StandardCopyOption.ATOMIC_MOVE);
            host.awaitTries(3);

            assertThat(log.take()).singleElement().asString()
                    .contains("is not its socket any more");
        }
        assertThat(socket).as("somebody else's").exists();
    }

    /** Comes and goes, if anybody listens. */
    private static void knock(Path socket) {
        try (SocketChannel guest = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            assertThat(guest.isConnected()).isTrue();
        } catch (IOException nobody) {
            assertThat(socket).exists();
        }
    }

    @Test
    void shouldDeleteNothingButSockets() throws Exception {
        Path link = Files.createSymbolicLink(
                directory.resolve("link"), directory.resolve("nowhere"));
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();

        assertRefused(link);
        assertRefused(pipe);

        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(pipe).exists();
    }

    @Test
    void shouldLeaveAloneWhatHasTakenItsPlace() throws Exception {
        Path socket = directory.resolve("s");
        Host host = new Host(socket, 1);
        Files.delete(socket);

        try (Host successor = new Host(socket, 1)) {
            Files.setLastModifiedTime(socket, FileTime.fromMillis(1));
            host.close();

            try (Machine machine = Machine.booted(socket)) {
                assertThat(successor.server.status().sessions()).isOne();
                assertThat(machine.queues()).isEqualTo(3);
            }
        }
    }

    @Test
    void shouldLeaveNoSocketBehindWhenItsDeviceCannotBeMade() throws Exception {
        Path socket = directory.resolve("s");

        assertThatThrownBy(() -> VhostUserServer.listen(
                new VhostUserConfig("test", socket, Host::daemon),
                (memory, interrupt) -> {
                    throw new IllegalStateException("no device");
                })).hasMessage("no device");

        assertThat(socket).doesNotExist();
    }

    private static void abandon(Path socket) throws IOException {
        AFUNIXServerSocket listener = AFUNIXServerSocket.newInstance();
        listener.setDeleteOnClose(false);
        listener.bind(AFUNIXSocketAddress.of(socket));
        listener.close();
    }

    private static void assertRefused(Path socket) {
        AtomicBoolean made = new AtomicBoolean();
        VhostUserServer.DeviceFactory<VirtioDevice> factory = (memory, interrupt) -> {
            made.set(true);
            throw new AssertionError("made a device for nothing");
        };

        assertThatThrownBy(() -> VhostUserServer.listen(
                new VhostUserConfig("second", socket, Host::daemon), factory))
                .isInstanceOf(FileAlreadyExistsException.class);
        assertThat(made).isFalse();
    }
}
