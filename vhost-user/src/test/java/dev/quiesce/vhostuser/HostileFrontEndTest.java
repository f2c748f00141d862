package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestSession;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Front ends that break rules: their connection ends, and nothing else suffers. */
class HostileFrontEndTest extends ServedSocket {
    private static final String RAM_NAME = "quiesce-vhost-test";
    private static final long VERSION_1 = 1L << 32;
    private static final long PROTOCOL = 1L << 30;
    private static final int CONNECTIONS = 2000;
    private static final int STREAMS = 400;


    @Override
    Host newHost() throws Exception {
        return new Host(socket, 1);
    }

    @AfterEach
    void serveAGoodOne() throws Exception {
        assertServesAGoodOne();
    }

    @Test
    @Rule("VHU-2")
    @Rule("SBUG-33")
    void shouldEndAConnectionWhoseFramingIsWrong() throws Exception {
        int[][] headers =
                {{1, 0, 0}, {1, 5, 0}, {1, 1, 8}, {5, 1, -1}, {8, 1, 7}, {99, 1, 1 << 20}};
        for (int[] header : headers) {
            try (FrontEnd frontEnd = new FrontEnd(socket)) {
                ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
                frontEnd.sendBytes(
                        bytes.putInt(header[0]).putInt(header[1]).putInt(header[2]).array());

                frontEnd.awaitClosed();
            }
        }
    }

    @Test
    @Rule("VHU-2")
    @Rule("VHU-T05")
    void shouldAcceptTheNextAfterATruncatedMessage() throws Exception {
        for (int length = 1; length < 20; length++) {
            try (FrontEnd frontEnd = new FrontEnd(socket)) {
                ByteBuffer bytes = ByteBuffer.allocate(20).order(ByteOrder.nativeOrder());
                bytes.putInt(8).putInt(1).putInt(8);
                byte[] part = new byte[length];
                bytes.get(0, part);
                frontEnd.sendBytes(part);
            }
        }
    }

    @Test
    @Rule("VHU-8")
    void shouldEndAConnectionThatAgreesOnWhatWasNotOffered() throws Exception {
        try (FrontEnd frontEnd = new FrontEnd(socket)) {
            frontEnd.send(16, payload -> payload.putLong(1L << 19));

            frontEnd.awaitClosed();
        }
    }

    @Test
    @Rule("VHU-12")
    @Rule("VHU-13")
    @Rule("VHU-14")
    @Rule("VHU-46")
    void shouldRefuseMemoryThatCannotBe() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); SharedRam ram = new SharedRam(1 << 20)) {
            long size = 1 << 20;
            long file = SharedRam.FILE_OFFSET;

            assertThat(add(frontEnd, ram, region(0, size, 0, file))).isZero();
            assertThat(add(frontEnd, ram, region(size - 1, size, 1L << 40, file))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, size, size - 1, file))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, 0, 1L << 40, file))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, -1, 1L << 40, file))).isOne();
            assertThat(add(frontEnd, ram, region(-4096, 8192, 1L << 40, file))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, 8192, -4096, file))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, size, 1L << 40, -4096))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, size, 1L << 40, file + 1))).isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, size, 1L << 40, Long.MAX_VALUE)))
                    .isOne();
            assertThat(add(frontEnd, ram, region(1L << 40, 1L << 62, 1L << 40, 0))).isOne();
            assertThat(frontEnd.acknowledged(37, single(region(1L << 40, size, 1L << 40, file))))
                    .isOne();
            assertThat(frontEnd.acknowledged(38, single(region(1L << 40, size, 1L << 40, file))))
                    .isOne();
            assertThat(host.server.status().frontEnd().regions()).isOne();
        }
    }

    @Test
    @Rule("VHU-12")
    void shouldKeepItsTableWhenAReplacementIsRefused() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); SharedRam ram = new SharedRam(1 << 20)) {
            Payload.Region first = region(0, 4096, 0, 0);
            Payload.Region second = region(4096, 4096, 4096, 4096);
            assertThat(replace(frontEnd, ram, 2, first, second)).isZero();

            assertThat(replace(frontEnd, ram, 1, first, second)).isOne();
            assertThat(replace(frontEnd, ram, 2, first, first)).isOne();
            assertThat(replace(frontEnd, ram, 0)).isOne();

            frontEnd.settle();
            assertThat(host.server.status().frontEnd().regions()).isEqualTo(2);
        }
    }

    /** It has been judged whole: nothing is mapped of a table that cannot be. */
    @Test
    @Rule("VHU-12")
    void shouldMapNothingOfATableWhoseRegionsOverlap() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); SharedRam ram = new SharedRam(1 << 20)) {
            assertThat(KernelCounts.mappings(ram.name())).isOne(); // the front end's own

            assertThat(replace(frontEnd, ram, 2, region(0, 1 << 20, 0, 0),
                    region(4096, 4096, 1L << 40, 0))).isOne();

            assertThat(KernelCounts.mappings(ram.name())).isOne();
        }
    }

    /** Without a collection that the test asks for. */
    @Test
    @Rule("VHU-45")
    void shouldUnmapWhatWasMappedOfATableThatIsRefused() throws Exception {
        try (SharedRam ram = new SharedRam(1 << 20)) {
            try (FrontEnd frontEnd = acknowledging()) {
                assertThat(replace(frontEnd, ram, 2, region(0, 1 << 20, 0, 0),
                        region(1L << 40, 4096, 1L << 40, 1L << 40))).isOne();
            }

            // One is the front end's own.
            Host.until(() -> Machine.quietly(() -> KernelCounts.mappings(ram.name())) <= 1,
                    () -> "still mapped");
        }
    }

    /** A collection stops every loop of the process. */
    @Test
    void shouldNotCollectGarbageForEveryMessage() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); SharedRam ram = new SharedRam(1 << 20);
                AskedCollections collections = new AskedCollections()) {
            long begun = System.nanoTime();
            for (int i = 0; i < 200; i++) {
                assertThat(replace(frontEnd, ram, 1, ram.region())).isZero();
            }
            long seconds = (System.nanoTime() - begun) / 1_000_000_000;

            // One a second and one to begin with; and what is still owed to earlier tests.
            assertThat((long) collections.count()).isLessThanOrEqualTo(seconds + 2);
        }
    }

    @Test
    @Rule("VHU-46")
    void shouldRefuseDescriptorsThatAreNoMemory() throws Exception {
        try (FrontEnd frontEnd = acknowledging();
                Wire pipe = Wire.ofPipe();
                Wire sockets = Wire.ofSockets();
                RandomAccessFile zero = new RandomAccessFile("/dev/zero", "rw");
                RandomAccessFile readOnly = new RandomAccessFile(
                        Files.write(directory.resolve("ro"), new byte[4096]).toFile(), "r")) {
            Payload.Region region = region(0, 4096, 0, 0);

            for (FileDescriptor wrong : List.of(pipe.readEnd(), pipe.writeEnd(),
                    sockets.readEnd(), zero.getFD(), readOnly.getFD())) {
                assertThat(frontEnd.acknowledged(37, single(region), wrong)).isOne();
            }
        }
    }

    @Test
    @Rule("VHU-10")
    void shouldEndAConnectionWhoseRingsAreOutsideOfItsMemory() throws Exception {
        try (FrontEnd frontEnd = new FrontEnd(socket);
                SharedRam ram = new SharedRam(1 << 20);
                Wire kick = Wire.ofSockets()) {
            frontEnd.send(2, payload -> payload.putLong(VERSION_1 | PROTOCOL));
            frontEnd.send(37, single(ram.region()), ram.descriptor());
            frontEnd.send(8, Machine.state(2, 128)::encode);
            frontEnd.send(9, new Payload.VringAddress(2, 0,
                    ram.region().userAddress() + ram.region().sizeBytes() - 16,
                    ram.region().userAddress(), ram.region().userAddress(), 0)::encode);
            frontEnd.send(18, Machine.state(2, 1)::encode);
            frontEnd.send(12, payload -> payload.putLong(2), kick.readEnd());

            frontEnd.awaitClosed();
        }
    }

    @Test
    @Rule("VHU-51")
    void shouldNotMindRingsThatAreEnabledAndNeverDescribed() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); Wire kick = Wire.ofSockets()) {
            frontEnd.send(2, payload -> payload.putLong(VERSION_1 | PROTOCOL));
            for (int i = 0; i < 3; i++) {
                assertThat(frontEnd.acknowledged(18, Machine.state(i, 1)::encode)).isZero();
            }
            assertThat(frontEnd.acknowledged(12, payload -> payload.putLong(2), kick.readEnd()))
                    .isZero();
            kick.signal();

            frontEnd.settle();
            assertThat(host.server.status().frontEnd().queues())
                    .noneMatch(VhostUserStatus.Queue::isRunning);
        }
    }

    @Test
    @Rule("VHU-3")
    @Rule("SBUG-27")
    void shouldCloseDescriptorsThatAMessageDoesNotExpect() throws Exception {
        try (FrontEnd frontEnd = acknowledging(); Wire wire = Wire.ofSockets()) {
            frontEnd.settle();
            assertThat(KernelCounts.onTheSameAs(wire.readEnd())).isOne();

            for (int i = 0; i < 50; i++) {
                frontEnd.send(1, payload -> { }, wire.readEnd(), wire.writeEnd());
                frontEnd.reply(1);
                assertThat(frontEnd.acknowledged(38, single(region(0, 4096, 0, 0)),
                        wire.readEnd())).isOne();
                assertThat(frontEnd.acknowledged(99, payload -> { }, wire.readEnd())).isOne();
            }
            frontEnd.settle();

            assertThat(KernelCounts.onTheSameAs(wire.readEnd())).isOne();
            assertThat(KernelCounts.onTheSameAs(wire.writeEnd())).isOne();
        }
    }

    @Test
    @Rule("VHU-3")
    void shouldLeakNeitherDescriptorsNorMappings() throws Exception {
        cycle();
        System.gc();
        List<String> before = KernelCounts.targets();
        long mappings = KernelCounts.mappings(RAM_NAME); // other tests' garbage, if any

        for (int i = 0; i < 20; i++) {
            cycle();
        }

        assertThat(KernelCounts.settles(() -> KernelCounts.openedSince(before).isEmpty()))
                .as("%s", KernelCounts.openedSince(before)).isTrue();
        assertThat(KernelCounts.settles(() -> KernelCounts.mappings(RAM_NAME) <= mappings))
                .isTrue();
    }

    /** The socket library's own way from a descriptor to a channel deletes this when it closes. */
    @Test
    void shouldLeaveTheHostsDevicesAlone() throws Exception {
        assertServesAGoodOne();

        assertThat(Path.of("/dev/null")).exists();
        assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
    }

    @Test
    void shouldUnmapAtOnceWhereTheJvmCan() throws Exception {
        try (SharedRam ram = new SharedRam(1 << 20); FrontEnd frontEnd = acknowledging()) {
            assertThat(add(frontEnd, ram, ram.region())).isZero();
            assertThat(KernelCounts.mappings(ram.name())).isEqualTo(2); // one is the front end's

            assertThat(frontEnd.acknowledged(38, single(ram.region()))).isZero();

            if (Unmapping.isImmediate()) {
                assertThat(KernelCounts.mappings(ram.name())).isOne();
            } else {
                assertThat(KernelCounts.settles(
                        () -> KernelCounts.mappings(ram.name()) == 1)).isTrue();
            }
        }
    }

    @Test
    void shouldServeThousandsOfConnectionsThatSayNothing() throws Exception {
        assertServesAGoodOne(); // opens what stays open, as what random names come from
        List<String> before = KernelCounts.targets();

        for (int i = 0; i < CONNECTIONS; i++) {
            new FrontEnd(socket).close();
        }
        assertServesAGoodOne();

        assertThat(KernelCounts.settles(() -> KernelCounts.openedSince(before).isEmpty()))
                .as("%s", KernelCounts.openedSince(before)).isTrue();
    }

    @Test
    void shouldSurviveRandomMessages() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (SharedRam ram = new SharedRam(1 << 20); Wire wire = Wire.ofSockets()) {
            for (int i = 0; i < STREAMS; i++) {
                sendRandom(random, ram, wire);
            }
            assertServesAGoodOne();
        } catch (AssertionError | Exception e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private void sendRandom(Random random, SharedRam ram, Wire wire) {
        try (FrontEnd frontEnd = new FrontEnd(socket)) {
            RandomMessages.send(random, frontEnd, ram, wire);
        } catch (IOException closedByTheBackEnd) {
            assertThat(closedByTheBackEnd).isInstanceOf(SocketException.class);
        }
    }

    private void cycle() throws Exception {
        assertServesAGoodOne();
        try (FrontEnd frontEnd = acknowledging(); SharedRam ram = new SharedRam(1 << 20)) {
            add(frontEnd, ram, ram.region());
            add(frontEnd, ram, ram.region());
        }
        try (FrontEnd frontEnd = new FrontEnd(socket); SharedRam ram = new SharedRam(1 << 20)) {
            frontEnd.sendBytes(new byte[5], ram.descriptor(), ram.descriptor());
        }
    }

    private void assertServesAGoodOne() throws Exception {
        try (Machine machine = Machine.booted(socket); GuestSession session = machine.session()) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
        }
    }

    private FrontEnd acknowledging() throws IOException {
        FrontEnd frontEnd = new FrontEnd(socket);
        frontEnd.acknowledged(16, payload -> payload.putLong(1 << 3));
        return frontEnd;
    }

    private static Payload.Region region(long guest, long size, long user, long file) {
        return new Payload.Region(guest, size, user, file);
    }

    private static Consumer<ByteBuffer> single(Payload.Region region) {
        return payload -> {
            payload.putLong(0);
            region.encode(payload);
        };
    }

    private static long add(FrontEnd frontEnd, SharedRam ram, Payload.Region region)
            throws IOException {
        return frontEnd.acknowledged(37, single(region), ram.descriptor());
    }

    private static long replace(
            FrontEnd frontEnd, SharedRam ram, int files, Payload.Region... regions)
            throws IOException {
        List<FileDescriptor> descriptors = new ArrayList<>();
        for (int i = 0; i < files; i++) {
            descriptors.add(ram.descriptor());
        }
        return frontEnd.acknowledged(5, payload -> {
            payload.putInt(regions.length).putInt(0);
            for (Payload.Region region : regions) {
                region.encode(payload);
            }
        }, descriptors.toArray(new FileDescriptor[0]));
    }
}
