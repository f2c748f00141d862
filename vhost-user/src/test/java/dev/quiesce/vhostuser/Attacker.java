package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.newsclub.net.unix.FileDescriptorCast;

/** What a hostile front end can do in one connection. It asks for no acknowledgements. */
final class Attacker implements AutoCloseable {
    private static final long FEATURES = 1L << 32 | 1L << 30;
    private static final int QUEUE = 2;
    private static final Pattern FIELDS = Pattern.compile("\\s+");

    final FrontEnd frontEnd;
    private final Host host;
    private final Path directory;
    private final SharedRam ram = new SharedRam(1 << 20);
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    Attacker(Host host, Path directory) throws IOException {
        this.host = host;
        this.frontEnd = new FrontEnd(host.server.socket());
        this.directory = directory;
    }

    void shortPayload() throws IOException {
        header(8, 1, 7);
    }

    void hugePayload() throws IOException {
        header(5, 1, -1);
    }

    void wrongVersion() throws IOException {
        header(1, 2, 0);
    }

    void truncated() throws IOException {
        frontEnd.sendBytes(new byte[] {8, 0, 0}, ram.descriptor());
        frontEnd.endOutput();
    }

    void fewerRegionsThanItSays() throws IOException {
        frontEnd.send(5, payload -> {
            payload.putInt(7).putInt(0);
            ram.region().encode(payload);
        }, ram.descriptor());
    }

    void moreFilesThanRegions() throws IOException {
        table(new Payload.Region[] {ram.region()}, ram.descriptor(), ram.descriptor());
    }

    void regionWithoutFile() throws IOException {
        table(new Payload.Region[] {ram.region()});
    }

    void tooManyFiles() throws IOException {
        FileDescriptor[] nine = new FileDescriptor[9];
        Arrays.fill(nine, ram.descriptor());
        table(new Payload.Region[] {ram.region()}, nine);
    }

    void emptyRegion() throws IOException {
        add(new Payload.Region(0x10_0000, 0, 0x10_0000, 0), ram.descriptor());
    }

    void overlappingRegions() throws IOException {
        add(new Payload.Region(0x10_0000, 4096, 0x7f00_0010_0000L, 0), ram.descriptor());
        add(new Payload.Region(0x10_0800, 4096, 0x7f00_0020_0000L, 0), ram.descriptor());
    }

    void truncatedFile() throws IOException {
        RandomAccessFile file = new RandomAccessFile(directory.resolve("short").toFile(), "rw");
        opened.push(file);
        file.setLength(4096);
        add(new Payload.Region(0x10_0000, 1 << 20, 0x10_0000, 0), file.getFD());
    }

    void memoryIn(FileDescriptor file) throws IOException {
        add(ram.region(), file);
    }

    /** By SET_VRING_KICK, _CALL or _ERR. */
    void signalBy(int request, FileDescriptor... descriptors) throws IOException {
        frontEnd.send(request, payload -> payload.putLong(QUEUE), descriptors);
    }

    void ringThatIsNotThere() throws IOException {
        frontEnd.send(8, Machine.state(200, 128)::encode);
    }

    void ringOfAnOddSize() throws IOException {
        frontEnd.send(8, Machine.state(QUEUE, 3)::encode);
    }

    void strangeFeatures() throws IOException {
        frontEnd.send(2, payload -> payload.putLong(FEATURES | 1L << 34));
    }

    void ringOutsideOfMemory() throws IOException {
        start(0x7f00_0000_0000L);
    }

    void enabledWithoutAddresses() throws IOException {
        frontEnd.send(2, payload -> payload.putLong(FEATURES));
        frontEnd.send(18, Machine.state(QUEUE, 1)::encode);
        EventCounter kick = counter();
        kick.add(1);
        frontEnd.send(12, payload -> payload.putLong(QUEUE), kick.descriptor());
        frontEnd.settle();
        frontEnd.endOutput();
    }

    /** The counter is full, and whoever adds to it waits: each time that it was set not to. */
    void fullCounterThatWaits() throws IOException {
        start(ram.region().userAddress());
        EventCounter call = counter();
        frontEnd.settle();
        call.fill();
        host.meanwhile = () -> Machine.quietly(() -> {
            call.makeBlocking();
            return null;
        });
        opened.push(() -> host.meanwhile = () -> { });
        frontEnd.send(13, payload -> payload.putLong(QUEUE), call.descriptor());
    }

    FileDescriptor pipe() throws IOException {
        Wire pipe = Wire.ofPipe();
        opened.push(pipe);
        return pipe.readEnd();
    }

    FileDescriptor socket() throws IOException {
        Wire pair = Wire.ofSockets();
        opened.push(pair);
        return pair.readEnd();
    }

    FileDescriptor event() throws IOException {
        return counter().descriptor();
    }

    FileDescriptor readOnly() throws IOException {
        return open(Files.write(directory.resolve("ro"), new byte[2 << 20]).toString(), "r");
    }

    FileDescriptor open(String path, String mode) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path, mode);
        opened.push(file);
        return file.getFD();
    }

    FileDescriptor directory() throws IOException {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(directory);
                Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            String real = directory.toRealPath().toString();
            Path its = descriptors
                    .filter(each -> KernelCounts.target(each).equals(real))
                    .findAny().orElseThrow();
            int number = Integer.parseInt(its.getFileName().toString());
            FileDescriptor own = FileDescriptorCast.duplicating(
                    FileDescriptorCast.unsafeUsing(number).getFileDescriptor())
                    .getFileDescriptor();
            opened.push(() -> ReceivedDescriptors.close(own));
            return own;
        }
    }

    /** A connection of a network, which its owner may tell to linger when it is closed. */
    FileDescriptor lingering() throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open()
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        opened.push(listener);
        SocketChannel channel = SocketChannel.open(listener.getLocalAddress());
        opened.push(channel);
        String socket = "socket:[" + inodeOf((InetSocketAddress) channel.getLocalAddress()) + "]";
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            Path its = descriptors.filter(each -> KernelCounts.target(each).equals(socket))
                    .findAny().orElseThrow();
            int number = Integer.parseInt(its.getFileName().toString());
            return FileDescriptorCast.unsafeUsing(number).getFileDescriptor();
        }
    }

    /** Others open sockets too, so only the kernel knows which descriptor is whose. */
    private static String inodeOf(InetSocketAddress local) throws IOException {
        String port = String.format(":%04X", local.getPort());
        for (String table : List.of("/proc/self/net/tcp", "/proc/self/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                List<String> fields = FIELDS.splitAsStream(line.strip()).toList();
                if (fields.get(1).endsWith(port)) {
                    return fields.get(9);
                }
            }
        }
        throw new IOException("no TCP socket at " + local);
    }

    private EventCounter counter() throws IOException {
        EventCounter counter = EventCounter.open();
        opened.push(counter);
        return counter;
    }

    private void start(long ringAddress) throws IOException {
        frontEnd.send(2, payload -> payload.putLong(FEATURES));
        add(ram.region(), ram.descriptor());
        frontEnd.send(8, Machine.state(QUEUE, 128)::encode);
        frontEnd.send(9, new Payload.VringAddress(QUEUE, 0, ringAddress, ringAddress + 8192,
                ringAddress + 4096, 0)::encode);
        frontEnd.send(18, Machine.state(QUEUE, 1)::encode);
        frontEnd.send(12, payload -> payload.putLong(QUEUE), counter().descriptor());
    }

    private void add(Payload.Region region, FileDescriptor file) throws IOException {
        frontEnd.send(37, payload -> {
            payload.putLong(0);
            region.encode(payload);
        }, file);
    }

    private void table(Payload.Region[] regions, FileDescriptor... files) throws IOException {
        frontEnd.send(5, payload -> {
            payload.putInt(regions.length).putInt(0);
            for (Payload.Region region : regions) {
                region.encode(payload);
            }
        }, files);
    }

    private void header(int request, int flags, int bytes) throws IOException {
        frontEnd.sendBytes(ByteBuffer.allocate(12).order(ByteOrder.nativeOrder())
                .putInt(request).putInt(flags).putInt(bytes).array());
    }

    @Override
    public void close() throws Exception {
        frontEnd.close();
        ram.close();
        for (AutoCloseable each : opened) {
            each.close();
        }
    }
}
