package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestSession;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/** A guest of another export that writes and compares for as long as it is wanted. */
final class Neighbour implements AutoCloseable {
    private static final int BYTES = 4096;

    private final Machine machine;
    private final CompletableFuture<Long> end;
    private volatile boolean leaving;
    private final AtomicLong rounds = new AtomicLong();

    private Neighbour(Path socket) throws Exception {
        machine = Machine.booted(socket);
        // Not the common pool: it has one thread where there are two processors.
        end = CompletableFuture.supplyAsync(this::work, body -> Host.daemon(body).start());
    }

    static Neighbour at(Path socket) throws Exception {
        return new Neighbour(socket);
    }

    /** Waits until a round has begun and ended from now on. */
    void goesOn() {
        long wanted = rounds.get() + 2;
        Host.until(() -> {
            assertThat(end).isNotDone();
            return rounds.get() >= wanted;
        }, () -> "the neighbour stands still");
    }

    private long work() {
        byte[] data = new byte[BYTES];
        try (GuestSession session = machine.session()) {
            session.execute(0, 0, GuestCdb.testUnitReady()); // takes the unit attention
            while (!leaving) {
                Arrays.fill(data, (byte) rounds.get());
                int block = (int) (rounds.get() % 512 * 8);
                assertThat(session.write(0, 0, GuestCdb.write10(block, 8, false), data).isGood())
                        .isTrue();
                assertThat(session.read(0, 0, GuestCdb.read10(block, 8), BYTES)).isEqualTo(data);
                rounds.incrementAndGet();
            }
        }
        return rounds.get();
    }

    @Override
    public void close() throws Exception {
        leaving = true;
        Host.await(end);
        assertThat(machine.driver.ledger().complaints()).isEmpty();
        machine.close();
    }
}
