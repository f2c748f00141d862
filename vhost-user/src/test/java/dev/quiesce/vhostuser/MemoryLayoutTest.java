package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.vhostuser.SharedRam.Piece;
import java.io.FileDescriptor;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Guests whose memory has any shape. Files are sparse: sizes cost nothing. */
class MemoryLayoutTest extends ServedSocket {
    private static final long GIB = 1L << 30;
    private static final int MIB = 1 << 20;
    private static final String RAM_NAME = "quiesce-vhost-test";


    @Override
    Host newHost() throws Exception {
        return new Host(socket, 1);
    }

    /** The guest's allocator gives the first ring the lowest address. */
    @Test
    @Rule("VHU-9")
    @Rule("VHU-10")
    void shouldServeARingThatLiesAcrossABorderOfOurBuffers() throws Exception {
        for (int before : new int[] {16, 1024, 2046, 2048, 2050, 2312, 2320}) {
            assertServes(new SharedRam(new Piece(0, 3 * GIB, GIB - before, 8 * MIB)));
        }
    }

    @Test
    @Rule("VHU-9")
    @Rule("VHU-10")
    void shouldServeRegionsAboveTwoGibibytes() throws Exception {
        for (long from : new long[] {2 * GIB - 4096, 2 * GIB + 4096, 5 * GIB - 8 * MIB}) {
            assertServes(new SharedRam(new Piece(4 * GIB, 5 * GIB, from, 8 * MIB)));
        }
    }

    @Test
    @Rule("VHU-10")
    void shouldServeRegionsAtHighAddresses() throws Exception {
        assertServes(new SharedRam(Piece.whole((1L << 41) + 4096, 8 * MIB)));
        assertServes(new SharedRam(Piece.whole((1L << 52) - 8 * MIB, 8 * MIB)));
    }

    /** The session's buffer begins in the first region and ends in the last. */
    @Test
    @Rule("VHU-10")
    void shouldMoveDataAcrossRegionsThatFollowEachOther() throws Exception {
        SharedRam memory = new SharedRam(Piece.whole(MIB, MIB / 2),
                Piece.whole(MIB + MIB / 2, 4096), Piece.whole(MIB + MIB / 2 + 4096, 7 * MIB));
        assertServes(memory);
    }

    /** VQ-3 refuses it, although the bytes are there. */
    @Test
    @Rule("VQ-3")
    @Rule("VHU-10")
    void shouldEndAConnectionWhoseRingLiesAcrossRegions() throws Exception {
        try (LogLines log = new LogLines();
                FrontEnd frontEnd = new FrontEnd(socket);
                Wire kick = Wire.ofSockets();
                SharedRam memory = new SharedRam(
                        Piece.whole(MIB, 4096), Piece.whole(MIB + 4096, MIB))) {
            long ring = memory.region().userAddress() + 4096 - 16;
            frontEnd.send(2, payload -> payload.putLong(1L << 32 | 1L << 30));
            for (int i = 0; i < 2; i++) {
                frontEnd.send(37, single(memory.regions().get(i)), memory.descriptors()[i]);
            }
            frontEnd.send(8, Machine.state(2, 128)::encode);
            frontEnd.send(9, new Payload.VringAddress(
                    2, 0, ring, ring + 16384, ring + 8192, 0)::encode);
            frontEnd.send(18, Machine.state(2, 1)::encode);
            frontEnd.send(12, payload -> payload.putLong(2), kick.readEnd());
            frontEnd.awaitClosed();

            assertThat(log.take()).singleElement().asString().contains(
                    "test: connection closed", "ring 2 at user address", "outside of the shared");
        }
    }

    @Test
    @Rule("VHU-12")
    void shouldTakeEightRegionsInOneTable() throws Exception {
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            pieces.add(Piece.whole(MIB + i * GIB, i == 0 ? MIB / 4 : MIB));
        }
        SharedRam memory = new SharedRam(pieces.toArray(new Piece[0]));
        memory.ram.allocate(MIB / 4 - 65536, 1); // rings in the first, buffers in others
        try (Machine machine = new Machine(socket, GuestScsiConfig.likeLinux(), memory)) {
            machine.inOneTable = true;
            GuestSession.begin(machine.driver, machine.guest, Machine.LIMIT_NANOS);
            assertMovesData(machine);
            machine.frontEnd.settle();
            assertThat(host.server.status().frontEnd().regions()).isEqualTo(8);
        }
    }

    @Test
    @Rule("VHU-12")
    void shouldNotTakeNineRegionsInOneTable() throws Exception {
        try (FrontEnd frontEnd = new FrontEnd(socket); SharedRam ram = new SharedRam(MIB)) {
            FileDescriptor[] eight = new FileDescriptor[8];
            Arrays.fill(eight, ram.descriptor());
            frontEnd.send(5, payload -> {
                payload.putInt(9).putInt(0);
                for (int i = 0; i < 9; i++) {
                    new Payload.Region(i * GIB, 4096, i * GIB, 0).encode(payload);
                }
            }, eight);

            frontEnd.awaitClosed();
        }
    }

    /** One by one there is room for many more, up to what was said; and one more is refused. */
    @Test
    @Rule("VHU-13")
    void shouldTakeAsManySlotsAsItSays() throws Exception {
        try (FrontEnd frontEnd = new FrontEnd(socket); SharedRam ram = new SharedRam(MIB)) {
            frontEnd.acknowledged(16, payload -> payload.putLong(1 << 3 | 1 << 15));
            int slots = (int) frontEnd.askNumber(36);
            for (int i = 0; i < slots; i++) {
                assertThat(add(frontEnd, ram, i)).isZero();
            }

            assertThat(add(frontEnd, ram, slots)).isOne();

            assertThat(frontEnd.acknowledged(38, single(region(7)))).isZero();
            assertThat(add(frontEnd, ram, slots)).isZero();
            assertThat(frontEnd.askNumber(36)).isEqualTo(slots);
        }
    }

    /** In flight ends on the old mappings; then those go, and the new ones serve. */
    @Test
    @Rule("VHU-11")
    @Rule("VHU-43")
    @Rule("SCHED-25")
    void shouldReplaceTheWholeTableUnderRunningQueues() throws Exception {
        SharedRam memory = new SharedRam(Piece.whole(MIB, 8 * MIB), Piece.whole(GIB, 8 * MIB));
        try (Machine machine = new Machine(socket, GuestScsiConfig.likeLinux(), memory)) {
            machine.inOneTable = true;
            GuestSession.begin(machine.driver, machine.guest, Machine.LIMIT_NANOS);
            assertMovesData(machine);
            long mapped = KernelCounts.mappings(RAM_NAME);

            for (int i = 0; i < 5; i++) {
                assertThat(machine.sendTable()).isZero();
                assertMovesData(machine);
            }

            assertThat(KernelCounts.settles(() -> KernelCounts.mappings(RAM_NAME) <= mapped))
                    .isTrue();
        }
    }

    /** The driver's records of transfers outlive the front end, and wait for the next one. */
    @Test
    @Rule("VHU-45")
    void shouldUnmapWhatDataWasMovedThrough() throws Exception {
        Path image = Files.createFile(directory.resolve("image"));
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(Host.DISK_BYTES);
        }
        Path itsSocket = directory.resolve("f");
        try (Host itsHost = new Host(itsSocket, 1,
                FileDriver.open(FileConfig.writable(image)))) {
            System.gc();
            long before = KernelCounts.mappings(RAM_NAME); // other tests' garbage, if any
            moveDataOnce(itsSocket);
            Host.until(() -> itsHost.server.status().frontEnd() == null,
                    () -> "the front end is still there");

            assertThat(KernelCounts.settles(() -> KernelCounts.mappings(RAM_NAME) <= before))
                    .isTrue();
        }
    }

    /** On a frame of its own, which keeps nothing alive when it has ended. */
    private static void moveDataOnce(Path socket) throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            assertMovesData(machine);
        }
    }

    private void assertServes(SharedRam memory) throws Exception {
        try (Machine machine = new Machine(socket, GuestScsiConfig.likeLinux(), memory)) {
            GuestSession.begin(machine.driver, machine.guest, Machine.LIMIT_NANOS);
            assertMovesData(machine);
            assertThat(host.server.device().isBroken()).isFalse();
        }
    }

    private static void assertMovesData(Machine machine) {
        try (GuestSession session = machine.session()) {
            session.execute(0, 0, GuestCdb.testUnitReady()); // takes the unit attention
            byte[] data = new byte[MIB];
            new Random(1).nextBytes(data);

            assertThat(session.write(0, 0, GuestCdb.write10(0, 2048, false), data).isGood())
                    .isTrue();
            assertThat(session.read(0, 0, GuestCdb.read10(0, 2048), data.length))
                    .isEqualTo(data);
        }
        assertThat(machine.driver.ledger().complaints()).isEmpty();
    }

    private static long add(FrontEnd frontEnd, SharedRam ram, int slot) throws Exception {
        return frontEnd.acknowledged(37, single(region(slot)), ram.descriptor());
    }

    private static Payload.Region region(int slot) {
        return new Payload.Region(slot * 8192L, 4096, slot * 8192L, 0);
    }

    private static Consumer<ByteBuffer> single(Payload.Region region) {
        return payload -> {
            payload.putLong(0);
            region.encode(payload);
        };
    }
}
