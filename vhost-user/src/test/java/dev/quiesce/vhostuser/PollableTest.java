package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.EventNotifier;
import dev.quiesce.rules.Rule;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is relied on of the socket library: any descriptor can be waited for, none ever blocks. */
@Rule("VHU-15")
@Rule("VHU-50")
class PollableTest {
    private static final long LIMIT_NANOS = 30_000_000_000L;

    @TempDir private Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHearEverySignal(boolean sockets) throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        try (Wire wire = wire(sockets);
                KickPoller poller = new KickPoller("test", 1, Host::daemon)) {
            poller.watch(0, Pollable.of(wire.readEnd()), doorbell);

            for (int i = 0; i < 100; i++) {
                wire.signal();
                await(doorbell);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNeverWaitForAFullDescriptor(boolean sockets) throws Exception {
        try (Wire wire = wire(sockets)) {
            Pollable call = Pollable.of(wire.writeEnd());
            int taken = 0;
            while (call.signal()) {
                taken++;
            }

            assertThat(taken).isPositive();
            assertThat(call.signal()).isFalse();
            call.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotMindThatNobodyListens(boolean sockets) throws Exception {
        try (Wire wire = wire(sockets)) {
            Pollable call = Pollable.of(wire.writeEnd());
            wire.closeReadEnd();

            assertThat(call.signal()).isFalse();
            call.close();
        }
    }

    /** A poller that spun on an ended descriptor would not come to the next one any slower. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLetGoOfAKickThatHasEnded(boolean sockets) throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        try (Wire ended = wire(sockets);
                Wire wire = wire(sockets);
                KickPoller poller = new KickPoller("test", 2, Host::daemon)) {
            Pollable kick = Pollable.of(ended.readEnd());
            poller.watch(0, kick, doorbell);
            ended.closeWriteEnd();
            awaitClosed(kick);
            poller.watch(1, Pollable.of(wire.readEnd()), doorbell);

            wire.signal();
            await(doorbell);
        }
    }

    @Test
    void shouldLetGoOfAFileThatPretendsToBeAKick() throws Exception {
        Path file = Files.write(directory.resolve("kick"), new byte[100]);
        EventNotifier doorbell = new EventNotifier("kick");
        try (KickPoller poller = new KickPoller("test", 1, Host::daemon)) {
            Pollable kick = Pollable.of(new FileInputStream(file.toFile()).getFD());
            poller.watch(0, kick, doorbell);

            awaitClosed(kick);
        }
    }

    @Test
    void shouldCloseWhatItWatched() throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        List<Pollable> kicks;
        try (Wire one = Wire.ofPipe(); Wire two = Wire.ofPipe()) {
            kicks = List.of(Pollable.of(one.readEnd()), Pollable.of(two.readEnd()));
            try (KickPoller poller = new KickPoller("test", 2, Host::daemon)) {
                poller.watch(0, kicks.get(0), doorbell);
                poller.watch(0, kicks.get(1), doorbell);
                poller.watch(1, Pollable.of(two.writeEnd()), doorbell);
                awaitClosed(kicks.get(0));
            }
        }

        assertThat(kicks).noneMatch(Pollable::isOpen);
    }

    private static Wire wire(boolean sockets) throws IOException {
        return sockets ? Wire.ofSockets() : Wire.ofPipe();
    }

    private static void await(EventNotifier doorbell) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (!doorbell.testAndClear()) {
            assertThat(System.nanoTime()).as("no kick came").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private static void awaitClosed(Pollable kick) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (kick.isOpen()) {
            assertThat(System.nanoTime()).as("still open").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
