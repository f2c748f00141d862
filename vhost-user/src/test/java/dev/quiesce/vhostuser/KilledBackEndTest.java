package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestSession;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A back end is killed under load, again and again, and started again; the front end keeps its
 * memory and the in-flight buffer, and the guest notices nothing but a unit attention.
 */
@Rule("VHU-25")
@Rule("VHU-27")
@Rule("VHU-28")
@Rule("SCHED-26")
class KilledBackEndTest {
    private static final long SEED = System.nanoTime();
    private static final int KILLS = 6;
    private static final int PLACES = 24;
    private static final int QUEUES = 2;
    private static final int BLOCKS = 8;
    private static final int BYTES = BLOCKS * 512;
    private static final int WRITES_BETWEEN = 3000;

    @TempDir private Path directory;
    private final Random random = new Random(SEED);
    private final List<Place> places = new ArrayList<>();
    private long answered;
    private long repeated;

    @Test
    void shouldLoseNothingAndExecuteNothingTwice() throws Exception {
        Path socket = directory.resolve("s");
        Path image = Files.write(directory.resolve("image"), new byte[1 << 20]);
        BackEndProcess backEnd = BackEndProcess.start(socket, image);
        try (Machine machine = Machine.booted(socket)) {
            for (int i = 0; i < PLACES; i++) {
                places.add(new Place(machine, i));
            }
            long unfinished = 0;
            for (int kill = 0; kill < KILLS; kill++) {
                long wanted = answered + 1 + random.nextInt(WRITES_BETWEEN);
                writeUntil(machine, () -> answered >= wanted);
                if (kill == KILLS - 1) { // By chance there may be nothing under way at any kill.
                    BackEndProcess last = backEnd;
                    last.hold();
                    writeUntil(machine, () -> Machine.quietly(last::holdsSomething));
                }

                backEnd.kill();
                unfinished += machine.inflight().count(2) + machine.inflight().count(3);
                backEnd = BackEndProcess.start(socket, image);
                machine.reconnect(socket);
            }
            long wanted = answered + WRITES_BETWEEN;
            writeUntil(machine, () -> answered >= wanted);
            machine.until(() -> {
                machine.driver.kick(); // What was repeated.
                return machine.driver.outstanding() == 0;
            });

            verify(machine);
            assertThat(unfinished).as("seed %s", SEED).isPositive();
            assertThat(repeated).as("unit attentions").isPositive();
            assertThat(machine.driver.ledger().complaints()).as("seed %s", SEED).isEmpty();
            machine.pause();
            assertThat(machine.inflight().count(2) + machine.inflight().count(3)).isZero();
        } finally {
            backEnd.close();
        }
    }

    /** Each place has one write under way at most, so that its content is certain. */
    private void writeUntil(Machine machine, BooleanSupplier done) {
        machine.until(() -> {
            for (Place place : places) {
                place.writeNext();
            }
            machine.driver.kick();
            return done.getAsBoolean();
        });
    }

    private void verify(Machine machine) {
        try (GuestSession session = machine.session()) {
            for (Place place : places) {
                byte[] found = session.read(0, 0, GuestCdb.read10(place.block, BLOCKS), BYTES);
                assertThat(ByteBuffer.wrap(found).getLong()).as("block %s, seed %s",
                        place.block, SEED).isEqualTo(place.version);
                assertThat(found).isEqualTo(content(place.block, place.version));
            }
        }
    }

    private static byte[] content(int block, long version) {
        byte[] bytes = new byte[BYTES];
        new Random(block * 1_000_003L + version).nextBytes(bytes);
        ByteBuffer.wrap(bytes).putLong(version);
        return bytes;
    }

    /** A few blocks that are written over and over. A write that came late would show. */
    private final class Place implements GuestCommand.Listener {
        private final Machine machine;
        private final int block;
        private final int queue;
        private final long buffer;
        private final GuestCommand command;
        private long version;

        Place(Machine machine, int number) {
            this.machine = machine;
            block = number * BLOCKS;
            queue = number % QUEUES;
            buffer = machine.shared.ram.allocate(BYTES, 512);
            command = machine.driver.newCommand(this);
        }

        void writeNext() {
            if (!command.isOutstanding()) {
                version++;
                machine.shared.ram.write(buffer, content(block, version));
                submit();
            }
        }

        private void submit() {
            command.cdb(0, 0, GuestCdb.write10(block, BLOCKS, false)).dataOut(buffer, BYTES);
            assertThat(machine.driver.submit(queue, command)).isTrue();
        }

        @Override
        public void onAnswered(GuestCommand answer) {
            if (answer.isGood()) {
                answered++;
            } else {
                assertThat(answer.response()).isEqualTo(GuestCommand.RESPONSE_OK);
                assertThat(answer.sense().isUnitAttention()).as("%s", answer).isTrue();
                repeated++;
                submit(); // As Linux does.
            }
        }
    }
}
