package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

/**
 * Memory that its owner truncates while loops look at rings in it, between two kicks or because
 * they poll. The JVM tells of that wherever it likes, so it is done more than once.
 */
class TruncatedRingTest extends ServedSocket {
    private static final int ROUNDS = 60;
    private static final int REQUESTS = 2;

    /** So many that the code which looks is compiled. */
    private static final int KICKS = 200;


    @Override
    Host newHost() throws Exception {
        return new Host(socket, 2);
    }

    @Test
    @Rule("MAL-17")
    @Rule("DP-32")
    void shouldBreakTheDeviceAndNotTheLoop() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            truncateUnderALoop();

            assertThat(host.mainThread.context().isGone()).isFalse();
            assertThat(host.ioThread.context().isGone()).isFalse();
        }
        try (Machine next = Machine.booted(socket)) {
            assertThat(next.queues()).isEqualTo(4);
        }
    }

    private void truncateUnderALoop() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire error = Wire.ofSockets()) {
            machine.frontEnd.send(14, payload -> payload.putLong(2), error.writeEnd());
            machine.frontEnd.settle();
            for (int i = 0; i < KICKS; i++) {
                machine.kick(i % machine.queues());
                host.onMain(() -> null);
            }

            machine.shared.truncate();
            // Only one queue is kicked: main looks at its two when it has nothing to do.
            host.onMain(() -> null);
            machine.kick(REQUESTS);
            host.onMain(() -> null);

            assertThat(error.await()).isTrue();
            assertThat(host.server.device().isBroken()).isTrue();
        }
    }
}
