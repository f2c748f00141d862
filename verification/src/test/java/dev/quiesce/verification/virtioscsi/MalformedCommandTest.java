package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.HostileRing;
import dev.quiesce.testkit.guest.HostileRing.Descriptor;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Chains that are well formed, around commands and registers that are not. */
class MalformedCommandTest {
    private static final int RING = 16;
    private static final int CONTROL = 0;
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;
    private static final int REQUEST_BYTES = 19 + 32;
    private static final int RESPONSE_BYTES = 12 + 96;
    private static final int TMF_BYTES = 24;
    private static final int TMF_RESPONSE_BYTES = 1;
    private static final int CDB = 19;
    private static final int RESPONSE_CODE = 11;
    private static final int STATUS = 10;
    private static final int UNTOUCHED = 0x55;
    private static final int FAILURE = 9;
    private static final int OK = 0;
    private static final int BLOCK_BYTES = 512;
    private static final int SENSE_SIZE = 20;
    private static final int CDB_SIZE = 24;
    private static final int CONFIG_BYTES = 36;

    @ParameterizedTest
    @CsvSource({
        REQUESTS + "," + (REQUEST_BYTES - 1) + "," + RESPONSE_BYTES,
        REQUESTS + "," + REQUEST_BYTES + "," + (RESPONSE_BYTES - 1),
        CONTROL + ",3," + TMF_RESPONSE_BYTES,
        CONTROL + "," + (TMF_BYTES - 1) + "," + TMF_RESPONSE_BYTES,
        CONTROL + "," + TMF_BYTES + ",0"})
    @Rule("MAL-14")
    @Rule("VSCSI-14")
    @Rule("VSCSI-27")
    void shouldBreakWhenAHeaderDoesNotFit(int queue, int readable, int writable) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            List<HostileRing> rings = HostileGuest.begin(machine, RING);
            long request = machine.ram.allocate(REQUEST_BYTES, 16);
            long response = machine.ram.allocate(RESPONSE_BYTES, 16);
            HostileRing ring = rings.get(queue);
            if (writable == 0) {
                ring.descriptor(0, Descriptor.last(request, readable, 0));
            } else {
                HostileGuest.chain(ring, 0, new Descriptor(request, readable, 0, 0),
                        new Descriptor(response, writable, HostileRing.WRITE, 0));
            }

            ring.offer(0);
            machine.hba.kickFromGuest(queue);
            machine.turn();

            assertIsBroken(machine);
            assertThat(ring.usedIndex()).isZero();
            HostileGuest.worksAfterAReset(machine);
        }
    }

    @Test
    @Rule("MAL-15")
    @Rule("VSCSI-15")
    @Rule("VSCSI-23")
    void shouldFailACommandWithDataInBothDirectionsAndExecuteNothing() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            GuestRam ram = machine.ram;
            List<HostileRing> rings = HostileGuest.begin(machine, RING);
            long request = command(machine, GuestCdb.write10(0, 1, false));
            long response = ram.allocate(RESPONSE_BYTES, 16);
            long out = ram.allocate(BLOCK_BYTES, 16);
            long in = ram.allocate(BLOCK_BYTES, 16);
            ram.fill(out, BLOCK_BYTES, 0xEE);
            ram.fill(response, RESPONSE_BYTES, UNTOUCHED);
            HostileRing ring = rings.get(REQUESTS);
            HostileGuest.chain(ring, 0, new Descriptor(request, REQUEST_BYTES, 0, 0),
                    new Descriptor(out, BLOCK_BYTES, 0, 0),
                    new Descriptor(response, RESPONSE_BYTES, HostileRing.WRITE, 0),
                    new Descriptor(in, BLOCK_BYTES, HostileRing.WRITE, 0));

            ring.offer(0);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 1);

            byte[] answer = ram.read(response, RESPONSE_BYTES);
            assertThat(answer[RESPONSE_CODE]).isEqualTo((byte) FAILURE);
            assertThat(answer[STATUS]).isZero();
            assertThat(machine.hba.isBroken()).isFalse();
            HostileGuest.chain(ring, 4, new Descriptor(command(machine, GuestCdb.read10(0, 1)),
                            REQUEST_BYTES, 0, 0),
                    new Descriptor(response, RESPONSE_BYTES, HostileRing.WRITE, 0),
                    new Descriptor(in, BLOCK_BYTES, HostileRing.WRITE, 0));
            ring.offer(4);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 2);
            assertThat(ram.read(in, BLOCK_BYTES)).containsOnly(0);
        }
    }

    @Test
    @Rule("MAL-18")
    @Rule("DP-45")
    void shouldIgnoreKicksOfQueuesThatDoNotRun() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.hba.startDataplane(machine.allOnMain());
            kickEverything(machine);
            HostileGuest.negotiate(machine);
            kickEverything(machine);
            HostileRing ring = HostileGuest.rings(machine, RING).get(REQUESTS);
            long response = offerTestUnitReady(machine, ring, 0);
            kickEverything(machine);

            assertThat(ring.usedIndex()).isZero();
            assertThat(machine.ram.read(response, RESPONSE_BYTES)).containsOnly(UNTOUCHED);
            assertThat(machine.hba.isBroken()).isFalse();

            HostileGuest.run(machine);
            machine.until(() -> ring.usedIndex() == 1);
        }
    }

    @ParameterizedTest
    @CsvSource({SENSE_SIZE + ",65536", SENSE_SIZE + ",-1", CDB_SIZE + ",256", CDB_SIZE + ",-1"})
    @Rule("MAL-23")
    @Rule("VSCSI-7")
    void shouldBreakWhenACommandComesUnderSizesThatAreOutOfRange(int offset, int size) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            machine.hba.writeConfig(offset, Integer.BYTES, size & 0xFFFF_FFFFL);
            machine.turn();
            assertThat(machine.hba.isBroken()).as("before it is used").isFalse();

            offerTestUnitReady(machine, ring, 0);
            machine.hba.kickFromGuest(REQUESTS);
            machine.turn();

            assertIsBroken(machine);
            assertThat(ring.usedIndex()).isZero();
            HostileGuest.worksAfterAReset(machine);
        }
    }

    @Test
    @Rule("VSCSI-7")
    void shouldJudgeSizesThatAreWrittenByteByByteByWhatTheyComeTo() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            machine.hba.writeConfig(SENSE_SIZE + 2, 1, 1);
            machine.hba.writeConfig(CDB_SIZE + 3, 1, 0x80);
            machine.turn();
            machine.hba.writeConfig(SENSE_SIZE + 2, 1, 0);
            machine.hba.writeConfig(CDB_SIZE + 3, 1, 0);

            long response = offerTestUnitReady(machine, ring, 0);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 1);

            assertThat(machine.ram.read(response, RESPONSE_BYTES)[RESPONSE_CODE])
                    .isEqualTo((byte) OK);
            assertThat(machine.hba.readConfig(SENSE_SIZE, Integer.BYTES)).isEqualTo(96);
            assertThat(machine.hba.readConfig(CDB_SIZE, Integer.BYTES)).isEqualTo(32);
        }
    }

    @Test
    @Rule("VSCSI-6")
    @Rule("VSCSI-8")
    @Rule("VSCSI-11")
    void shouldReadOnesBehindItsConfigurationAndForgetSizesInAReset() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileGuest.begin(machine, RING);
            machine.hba.writeConfig(CONFIG_BYTES, Integer.BYTES, 0);
            machine.hba.writeConfig(0, Integer.BYTES, 77);
            machine.hba.writeConfig(SENSE_SIZE, Integer.BYTES, 18);
            machine.hba.writeConfig(CDB_SIZE, Integer.BYTES, 16);

            assertThat(machine.hba.readConfig(CONFIG_BYTES, Integer.BYTES))
                    .isEqualTo(0xFFFF_FFFFL);
            assertThat(machine.hba.readConfig(CONFIG_BYTES - 2, Integer.BYTES))
                    .as("across the end").isEqualTo(0xFFFF_FFFFL);
            assertThat(machine.hba.readConfig(0, Integer.BYTES)).as("queues").isEqualTo(1);
            assertThat(machine.hba.readConfig(SENSE_SIZE, Integer.BYTES)).isEqualTo(18);
            machine.await(machine.driver.reset());
            assertThat(machine.hba.readConfig(SENSE_SIZE, Integer.BYTES)).isEqualTo(96);
            assertThat(machine.hba.readConfig(CDB_SIZE, Integer.BYTES)).isEqualTo(32);
        }
    }

    @Test
    @Rule("VSCSI-13")
    @Rule("VSCSI-21")
    @Rule("VSCSI-22")
    @Rule("SBUG-66")
    void shouldTakeHeadersAndDataThatShareTheirDescriptors() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            GuestRam ram = machine.ram;
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            offerTestUnitReady(machine, ring, 0); // Takes what the unit has to say first.
            byte[] request = Arrays.copyOf(
                    ram.read(command(machine, GuestCdb.write10(3, 1, false)), REQUEST_BYTES),
                    REQUEST_BYTES + BLOCK_BYTES);
            Arrays.fill(request, REQUEST_BYTES, request.length, (byte) 0x77);
            long written = ram.allocate(request.length, 16);
            ram.write(written, request);
            HostileGuest.chain(ring, 2, new Descriptor(written, request.length, 0, 0),
                    new Descriptor(response(machine), RESPONSE_BYTES, HostileRing.WRITE, 0));
            long response = ram.allocate(RESPONSE_BYTES + BLOCK_BYTES, 16);
            ram.fill(response, RESPONSE_BYTES + BLOCK_BYTES, UNTOUCHED);
            HostileGuest.chain(ring, 4,
                    new Descriptor(command(machine, GuestCdb.read10(3, 1)), REQUEST_BYTES, 0, 0),
                    new Descriptor(response, RESPONSE_BYTES + BLOCK_BYTES, HostileRing.WRITE, 0));

            ring.offer(2);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 2);
            ring.offer(4);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 3);

            byte[] answer = ram.read(response, RESPONSE_BYTES + BLOCK_BYTES);
            assertThat(Arrays.copyOf(answer, RESPONSE_BYTES)).containsOnly(0);
            assertThat(Arrays.copyOfRange(answer, RESPONSE_BYTES, answer.length))
                    .containsOnly(0x77);
            assertThat(ring.usedLength(1)).as("nothing but the response").isEqualTo(RESPONSE_BYTES);
            assertThat(ring.usedLength(2)).isEqualTo(RESPONSE_BYTES + BLOCK_BYTES);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "7,24,1,11",       // an unknown type
        "0,24,1,11",       // an unknown function
        "0,64,9,11",       // the same, with more room than it needs
        "1,16,5,0",        // a query of events: none is supported
        "2,16,5,0"})
    @Rule("VSCSI-27")
    @Rule("VSCSI-28")
    @Rule("VSCSI-36")
    @Rule("VSCSI-56")
    @Rule("SBUG-43")
    void shouldAnswerControlRequestsThatItDoesNotKnow(
            int type, int readable, int writable, int code) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(CONTROL);
            byte[] request = new byte[readable];
            request[0] = (byte) type;
            request[4] = 99;
            long address = machine.ram.allocate(readable, 16);
            machine.ram.write(address, request);
            long response = response(machine);
            HostileGuest.chain(ring, 0, new Descriptor(address, readable, 0, 0),
                    new Descriptor(response, writable, HostileRing.WRITE, 0));

            ring.offer(0);
            machine.hba.kickFromGuest(CONTROL);
            machine.until(() -> ring.usedIndex() == 1);

            byte[] answer = machine.ram.read(response, writable);
            assertThat(answer[ring.usedLength(0) - 1]).isEqualTo((byte) code);
            assertThat(machine.hba.isBroken()).isFalse();
        }
    }

    @Test
    @Rule("VSCSI-9")
    @Rule("SCHED-23")
    void shouldAnswerEachCommandBySizesOfTheMomentInWhichItWasFetched() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            offerTestUnitReady(machine, ring, 0); // Takes what the unit has to say first.
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 1);
            machine.gates.get(0).shut();
            offerRead(machine, ring, 2);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> machine.gates.get(0).heldCount() == 1);

            machine.hba.writeConfig(SENSE_SIZE, Integer.BYTES, 18);
            offerTestUnitReady(machine, ring, 5);
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 2);
            machine.gates.get(0).open();
            machine.until(() -> ring.usedIndex() == 3);

            assertThat(ring.usedId(1)).isEqualTo(5);
            assertThat(ring.usedLength(1)).isEqualTo(12 + 18);
            assertThat(ring.usedId(2)).isEqualTo(2);
            assertThat(ring.usedLength(2)).isEqualTo(12 + 96 + BLOCK_BYTES);
        }
    }

    @Test
    @Rule("VSCSI-40")
    void shouldSendNoEventOfWhatHappenedBeforeItRan() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.hba.startDataplane(machine.allOnMain());
            HostileGuest.negotiate(machine);
            HostileRing events =
                    HostileGuest.rings(machine, RING).get(VirtioScsi.EVENT_QUEUE);
            events.descriptor(0, Descriptor.last(
                    machine.ram.allocate(16, 16), 16, HostileRing.WRITE)).offer(0);
            machine.plug(machine.newDisk(new MemoryDriver(1 << 20)), new ScsiAddress(1, 0));

            HostileGuest.run(machine);
            machine.hba.kickFromGuest(VirtioScsi.EVENT_QUEUE);
            machine.turn();
            assertThat(events.usedIndex()).as("not even as missed").isZero();

            machine.plug(machine.newDisk(new MemoryDriver(1 << 20)), new ScsiAddress(2, 0));
            machine.until(() -> events.usedIndex() == 1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Rule("MAL-31")
    @Rule("VSCSI-16")
    @Rule("SBUG-63")
    @Rule("SCHED-20")
    void shouldAnswerNothingOfABatchThatBreaksItsDeviceAndKeepNothing(boolean hung) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            offerTestUnitReady(machine, ring, 0); // Takes what the unit has to say first.
            machine.hba.kickFromGuest(REQUESTS);
            machine.until(() -> ring.usedIndex() == 1);
            if (hung) {
                machine.gates.get(0).shut();
            }
            long[] responses = new long[3];
            for (int i = 0; i < responses.length; i++) {
                responses[i] = offerRead(machine, ring, 2 + 3 * i);
            }
            ring.descriptor(11, Descriptor.last(responses[0], 0, HostileRing.WRITE)).offer(11);

            machine.hba.kickFromGuest(REQUESTS);
            machine.turn();
            machine.gates.get(0).open();
            machine.turn();

            assertIsBroken(machine);
            assertThat(ring.usedIndex()).isEqualTo(1);
            for (long response : responses) {
                assertThat(machine.ram.read(response, RESPONSE_BYTES)).containsOnly(UNTOUCHED);
            }
            assertThat(machine.disks.get(0).listedRequests()).isZero();
            assertThat(machine.disks.get(0).backend().gate().inFlight()).isZero();
            HostileGuest.worksAfterAReset(machine);
        }
    }

    private static void assertIsBroken(ScsiMachine machine) {
        assertThat(machine.hba.status() & DeviceStatus.NEEDS_RESET).isNotZero();
        assertThat(machine.interrupts.configChanges()).isEqualTo(1);
    }

    private static void kickEverything(ScsiMachine machine) {
        for (int queue : new int[] {0, 1, 2, 3, 1023, 65_535, Integer.MAX_VALUE, -1}) {
            machine.hba.kickFromGuest(queue);
        }
        machine.turn();
    }

    /** Offers a read of a block; returns where its response will be. */
    private static long offerRead(ScsiMachine machine, HostileRing ring, int head) {
        long response = response(machine);
        long data = machine.ram.allocate(BLOCK_BYTES, 16);
        HostileGuest.chain(ring, head, new Descriptor(command(machine, GuestCdb.read10(0, 1)),
                        REQUEST_BYTES, 0, 0),
                new Descriptor(response, RESPONSE_BYTES, HostileRing.WRITE, 0),
                new Descriptor(data, BLOCK_BYTES, HostileRing.WRITE, 0));
        ring.offer(head);
        return response;
    }

    /** Offers a command without data; returns where its response will be. */
    private static long offerTestUnitReady(ScsiMachine machine, HostileRing ring, int head) {
        long response = response(machine);
        HostileGuest.chain(ring, head, new Descriptor(command(machine, GuestCdb.testUnitReady()),
                        REQUEST_BYTES, 0, 0),
                new Descriptor(response, RESPONSE_BYTES, HostileRing.WRITE, 0));
        ring.offer(head);
        return response;
    }

    private static long response(ScsiMachine machine) {
        long response = machine.ram.allocate(RESPONSE_BYTES, 16);
        machine.ram.fill(response, RESPONSE_BYTES, UNTOUCHED);
        return response;
    }

    /** A request header for the only disk. */
    private static long command(ScsiMachine machine, byte[] cdb) {
        byte[] header = new byte[REQUEST_BYTES];
        header[0] = 1;
        header[2] = 0x40;
        System.arraycopy(cdb, 0, header, CDB, cdb.length);
        long address = machine.ram.allocate(REQUEST_BYTES, 16);
        machine.ram.write(address, header);
        return address;
    }
}
