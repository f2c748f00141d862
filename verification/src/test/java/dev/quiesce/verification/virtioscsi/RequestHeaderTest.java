package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.HostileRing;
import dev.quiesce.testkit.guest.HostileRing.Descriptor;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The fields of a request header that an ordinary driver never fills in its own way. */
class RequestHeaderTest {
    private static final int RING = 16;
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;
    private static final int REQUEST_BYTES = 19 + 32;
    private static final int RESPONSE_BYTES = 12 + 96;
    private static final int BLOCK_BYTES = 512;
    private static final int TAG = 8;
    private static final int TASK_ATTRIBUTE = 16;
    private static final int PRIORITY = 17;
    private static final int REFERENCE_NUMBER = 18;
    private static final int CDB = 19;
    private static final int STATUS = 10;
    private static final int RESPONSE_CODE = 11;
    private static final int GOOD = 0;
    private static final int COMPLETE = 0;
    private static final int ABORTED = 2;
    private static final int UNTOUCHED = 0x55;
    /** SIMPLE, ORDERED, HEAD OF QUEUE, ACA, and what no standard knows. */
    private static final byte[] ATTRIBUTES = {0, 1, 2, 4, (byte) 0xFF};

    private static final long ONE_BIT_AWAY = 1L << 32;

    @Test
    @Rule("VSCSI-19")
    void shouldNotLetAttributePriorityOrReferenceNumberChangeAnything() {
        for (byte attribute : ATTRIBUTES) {
            executesInOrderWhatHas(attribute);
        }
    }

    private static void executesInOrderWhatHas(byte attribute) {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing ring = HostileGuest.begin(machine, RING).get(REQUESTS);
            readTwice(machine, ring, 0, header(1)); // The first takes what the unit has to say.
            machine.gates.get(0).shut();
            long before = offer(machine, ring, 4, header(2));
            byte[] special = header(3);
            special[TASK_ATTRIBUTE] = attribute;
            special[PRIORITY] = (byte) 0x8F;
            special[REFERENCE_NUMBER] = (byte) 200;

            long second = offer(machine, ring, 7, special);
            machine.until(() -> machine.gates.get(0).heldCount() == 2);
            machine.gates.get(0).open();
            machine.until(() -> ring.usedIndex() == 4);

            assertThat(List.of(ring.usedId(2), ring.usedId(3))).containsExactly(4, 7);
            for (long response : new long[] {before, second}) {
                assertThat(code(machine, response)).isEqualTo(COMPLETE);
                assertThat(machine.ram.read(response + STATUS, 1)[0]).isEqualTo((byte) GOOD);
            }
        }
    }

    @Test
    @Rule("VSCSI-30")
    void shouldTellTagsApartThatDifferInTheirUpperHalf() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            List<HostileRing> rings = HostileGuest.begin(machine, RING);
            HostileRing ring = rings.get(REQUESTS);
            readTwice(machine, ring, 0, header(1));
            machine.gates.get(0).shut();
            long near = offer(machine, ring, 4, header(7));
            long far = offer(machine, ring, 7, header(7 + ONE_BIT_AWAY));
            machine.until(() -> machine.gates.get(0).heldCount() == 2);

            assertThat(abort(machine, rings, 7 + ONE_BIT_AWAY)).isEqualTo(COMPLETE);
            assertThat(code(machine, far)).isEqualTo(ABORTED);
            assertThat(code(machine, near)).isEqualTo(UNTOUCHED);
            machine.gates.get(0).open();
            machine.until(() -> ring.usedIndex() == 4);

            assertThat(code(machine, near)).isEqualTo(COMPLETE);
        }
    }

    @Test
    @Rule("VSCSI-30")
    void shouldAbortEveryCommandThatHasTheTag() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            List<HostileRing> rings = HostileGuest.begin(machine, RING);
            HostileRing ring = rings.get(REQUESTS);
            readTwice(machine, ring, 0, header(1));
            machine.gates.get(0).shut();
            long first = offer(machine, ring, 4, header(7));
            long other = offer(machine, ring, 7, header(8));
            long second = offer(machine, ring, 10, header(7));
            machine.until(() -> machine.gates.get(0).heldCount() == 3);

            assertThat(abort(machine, rings, 7)).isEqualTo(COMPLETE);

            assertThat(code(machine, first)).isEqualTo(ABORTED);
            assertThat(code(machine, second)).isEqualTo(ABORTED);
            assertThat(code(machine, other)).isEqualTo(UNTOUCHED);
        }
    }

    /** Sends ABORT TASK by head 0 of the control ring, and returns the answer. */
    private static int abort(ScsiMachine machine, List<HostileRing> rings, long tag) {
        HostileRing control = rings.get(VirtioScsi.CONTROL_QUEUE);
        ByteBuffer request = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        request.putInt(4, GuestScsi.ABORT_TASK).put(8, (byte) 1).put(10, (byte) 0x40);
        request.putLong(16, tag);
        long from = machine.ram.allocate(24, 16);
        long to = machine.ram.allocate(1, 1);
        machine.ram.write(from, request.array());
        HostileGuest.chain(control, 0, new Descriptor(from, 24, 0, 0),
                new Descriptor(to, 1, HostileRing.WRITE, 0));
        control.offer(0);
        machine.hba.kickFromGuest(VirtioScsi.CONTROL_QUEUE);
        machine.until(() -> control.usedIndex() == 1);
        return machine.ram.read(to, 1)[0];
    }

    private static void readTwice(
            ScsiMachine machine, HostileRing ring, int head, byte[] header) {
        for (int answers = 1; answers <= 2; answers++) {
            int expected = answers;
            offer(machine, ring, head, header);
            machine.until(() -> ring.usedIndex() == expected);
        }
    }

    /** Offers a read by three descriptors; returns where its response will be. */
    private static long offer(ScsiMachine machine, HostileRing ring, int head, byte[] header) {
        long request = machine.ram.allocate(REQUEST_BYTES, 16);
        long response = machine.ram.allocate(RESPONSE_BYTES, 16);
        long data = machine.ram.allocate(BLOCK_BYTES, 16);
        machine.ram.write(request, header);
        machine.ram.fill(response, RESPONSE_BYTES, UNTOUCHED);
        HostileGuest.chain(ring, head, new Descriptor(request, REQUEST_BYTES, 0, 0),
                new Descriptor(response, RESPONSE_BYTES, HostileRing.WRITE, 0),
                new Descriptor(data, BLOCK_BYTES, HostileRing.WRITE, 0));
        ring.offer(head);
        machine.hba.kickFromGuest(REQUESTS);
        return response;
    }

    /** A read of a block of the only disk. */
    private static byte[] header(long tag) {
        ByteBuffer header = ByteBuffer.allocate(REQUEST_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.put(0, (byte) 1).put(2, (byte) 0x40).putLong(TAG, tag);
        return header.put(CDB, GuestCdb.read10(0, 1)).array();
    }

    private static int code(ScsiMachine machine, long response) {
        return machine.ram.read(response + RESPONSE_CODE, 1)[0];
    }
}
