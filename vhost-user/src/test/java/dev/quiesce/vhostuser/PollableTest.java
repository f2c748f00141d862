package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.EventNotifier;
import dev.quiesce.rules.Rule;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.FileDescriptorCast;

/** What is relied on of the socket library: any descriptor can be waited for, none ever blocks. */
@Rule("VHU-15")
@Rule("VHU-50")
class PollableTest {
    @TempDir private Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHearEverySignal(boolean sockets) throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        try (Wire wire = wire(sockets);
                KickPoller poller = new KickPoller("test", 1, Host::daemon, () -> { })) {
            poller.watch(0, Pollable.of(wire.readEnd()), doorbell);

            for (int i = 0; i < 100; i++) {
                wire.signal();
                await(doorbell);
            }
        }
    }

    /** For example no memory for one more thread, for the moment. */
    @Test
    void shouldHearTheNextKickWhenItsThreadCouldNotBeStarted() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        ThreadFactory threads = job -> {
            if (asked.incrementAndGet() == 1) {
                throw new OutOfMemoryError("no thread, says the test");
            }
            return Host.daemon(job);
        };
        EventNotifier doorbell = new EventNotifier("kick");
        try (Wire unheard = Wire.ofPipe();
                Wire wire = Wire.ofPipe();
                KickPoller poller = new KickPoller("test", 1, threads, () -> { })) {
            Pollable first = Pollable.of(unheard.readEnd());
            assertThatThrownBy(() -> poller.watch(0, first, new EventNotifier("first")))
                    .isInstanceOf(OutOfMemoryError.class);
            assertThat(first.isOpen()).isFalse();

            poller.watch(0, Pollable.of(wire.readEnd()), doorbell);
            wire.signal();
            await(doorbell);
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
                KickPoller poller = new KickPoller("test", 2, Host::daemon, () -> { })) {
            poller.watch(0, Pollable.of(ended.readEnd()).readyFor(false), doorbell);
            ended.closeWriteEnd();
            awaitOpen(1, ended.readEnd());
            poller.watch(1, Pollable.of(wire.readEnd()), doorbell);

            wire.signal();
            await(doorbell);
        }
    }

    /**
     * The library closes what came over a socket with locks of its own held, and then takes the
     * descriptor's. A poller that closed it at that time would take them the other way round.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNeedNoLockOfADescriptorToLetGoOfIt(boolean sockets) throws Exception {
        EventNotifier unheard = new EventNotifier("ended");
        EventNotifier doorbell = new EventNotifier("kick");
        Pollable kick;
        try (Wire ended = wire(sockets);
                Wire wire = wire(sockets);
                KickPoller poller = new KickPoller("test", 2, Host::daemon, () -> { })) {
            FileDescriptor passed = ended.readEnd();
            kick = Pollable.of(passed).readyFor(false);
            poller.watch(0, kick, unheard);
            poller.watch(1, Pollable.of(wire.readEnd()), doorbell);
            poller.settle();
            doorbell.testAndClear();

            synchronized (passed) {
                ended.closeWriteEnd();
                awaitOpen(1, passed);
                wire.signal();
                await(doorbell);
            }

            assertThat(kick.isOpen()).as("not the poller's to close").isTrue();
        }
        assertThat(kick.isOpen()).isFalse();
    }

    @Test
    void shouldBeClosedByTheThreadThatMadeItOnly() throws Exception {
        try (EventCounter counter = EventCounter.open()) {
            Pollable kick = Pollable.of(duplicate(counter.descriptor()));

            assertThat(CompletableFuture.runAsync(kick::close))
                    .failsWithin(Duration.ofSeconds(Host.LIMIT_SECONDS)).withThrowableThat()
                    .withRootCauseInstanceOf(AssertionError.class);

            assertThat(kick.isOpen()).isTrue();
            kick.close();
            assertThat(kick.isOpen()).isFalse();
        }
    }

    /** Also if the poller's thread has ended early: then nobody uses them. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveClosedWhatAQueueHadWhenItIsSaidThatItHasAnother(boolean alive)
            throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        ThreadFactory threads = job -> Host.daemon(alive ? job : () -> { });
        try (EventCounter counter = EventCounter.open();
                KickPoller poller = new KickPoller("test", 2, threads, () -> { })) {
            List<Pollable> kicks = List.of(
                    Pollable.of(duplicate(counter.descriptor())).readyFor(false),
                    Pollable.of(duplicate(counter.descriptor())).readyFor(false),
                    Pollable.of(duplicate(counter.descriptor())).readyFor(false));
            poller.watch(0, kicks.get(0), doorbell);
            poller.watch(1, kicks.get(1), doorbell);

            poller.watch(0, kicks.get(2), doorbell);
            assertThat(kicks).extracting(Pollable::isOpen).containsExactly(false, true, true);

            poller.forget(1);
            poller.settle();
            assertThat(kicks).extracting(Pollable::isOpen).containsExactly(false, false, true);

            poller.close();
            assertThat(kicks).noneMatch(Pollable::isOpen);
        }
    }

    @Test
    @Rule("VHU-23")
    void shouldCountSignalsInAnEventDescriptor() throws Exception {
        try (EventCounter counter = EventCounter.open()) {
            Pollable call = Pollable.of(duplicate(counter.descriptor()));

            assertThat(call.signal()).isTrue();
            assertThat(call.signal()).isTrue();

            assertThat(counter.take()).isEqualTo(2);
            call.close();
        }
    }

    /** Its name must not get into the log: it may have a line of its own in it. */
    @Test
    void shouldRefuseWhatMayMakeAnyoneWaitHoweverItIsSet() throws Exception {
        Path file = Files.write(directory.resolve("kick\nall is well"), new byte[100]);
        for (Path wrong : List.of(file, Path.of("/dev/null"), Path.of("/dev/zero"))) {
            FileInputStream opened = new FileInputStream(wrong.toFile());
            assertThatThrownBy(() -> Pollable.of(opened.getFD()))
                    .isInstanceOf(Violation.class)
                    .hasMessageContaining("neither an eventfd nor a Unix socket nor a pipe, but a ")
                    .hasMessageNotContaining("all is well");
            assertThat(opened.getFD().valid()).isFalse();
        }

        assertThat(KernelCounts.targets()).noneMatch(name -> name.contains("all is well"));
    }

    @Test
    void shouldSignalForAThreadThatWasInterrupted() throws Exception {
        try (EventCounter counter = EventCounter.open()) {
            Pollable call = Pollable.of(duplicate(counter.descriptor()));
            Thread.currentThread().interrupt();

            assertThat(call.signal()).isTrue();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(call.signal()).isTrue();

            assertThat(counter.take()).isEqualTo(2);
            call.close();
        }
    }

    /** The front end can set back what we set, and then writing to a full counter waits. */
    @Test
    void shouldFreeAWriterThatTheFrontEndMakesWaitAndSayWhenItDoesSoAgainAndAgain()
            throws Exception {
        List<Integer> accused = new CopyOnWriteArrayList<>();
        CallLines lines = new CallLines(Host::daemon);
        lines.begin(accused::add);
        try (EventCounter counter = EventCounter.open()) {
            FileDescriptor passed = duplicate(counter.descriptor());
            counter.fill();
            lines.replaceCall(3, Pollable.of(passed, () -> Machine.quietly(() -> {
                counter.makeBlocking();
                return null;
            })));

            lines.queue(3);

            assertThat(accused).containsExactly(3);
            assertThat(passed.valid()).as("not closed by a writer: that may wait").isTrue();
            lines.clear();
            assertThat(passed.valid()).isFalse();
        } finally {
            lines.clear();
        }
    }

    /** Once is no crime: what was full is heard when there is room again. */
    @Test
    void shouldForgiveADescriptorThatMadeAWriterWaitOnce() throws Exception {
        List<Integer> accused = new CopyOnWriteArrayList<>();
        CallLines lines = new CallLines(Host::daemon);
        lines.begin(accused::add);
        try (EventCounter counter = EventCounter.open()) {
            lines.replaceCall(3, Pollable.of(duplicate(counter.descriptor())));
            counter.fill();
            counter.makeBlocking();

            lines.queue(3);
            counter.take();
            lines.queue(3);

            assertThat(counter.take()).isOne();
            assertThat(accused).isEmpty();
        } finally {
            lines.clear();
        }
    }

    /** A guard that slept through a write that waits would never end this. */
    @Test
    void shouldGuardWritersWhoseGuardWasAsleep() throws Exception {
        CallLines lines = new CallLines(Host::daemon);
        try (EventCounter counter = EventCounter.open()) {
            lines.replaceCall(0, Pollable.of(duplicate(counter.descriptor())));
            awaitParked();
            counter.fill();
            counter.makeBlocking();

            lines.queue(0);

            counter.take();
        } finally {
            lines.clear();
        }
    }

    @Test
    void shouldFreeAReaderThatTheFrontEndMakesWait() throws Exception {
        try (EventCounter counter = EventCounter.open()) {
            Pollable kick = Pollable.of(duplicate(counter.descriptor()));
            counter.makeBlocking();
            CompletableFuture<Integer> read = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(kick::drain));

            Host.until(() -> {
                kick.cut();
                return read.isDone();
            }, () -> "it still reads");

            assertThat(read).failsWithin(Duration.ZERO).withThrowableThat()
                    .withRootCauseInstanceOf(ClosedChannelException.class);
            kick.close();
        }
    }

    /** Both hear of the count; if the poller comes second, it would wait for the next one. */
    @Test
    void shouldEndThoughSomebodyElseTookWhatThePollerHeardOf() throws Exception {
        for (int i = 0; i < 100; i++) {
            EventCounter counter = EventCounter.open();
            KickPoller poller = new KickPoller("test", 1, Host::daemon, () -> { });
            poller.watch(0, Pollable.of(duplicate(counter.descriptor())),
                    new EventNotifier("kick"));
            poller.settle();
            counter.makeBlocking();
            CompletableFuture<Long> thief = CompletableFuture.supplyAsync(
                    () -> Machine.quietly(counter::take));

            counter.add(1);
            poller.close();

            counter.add(1);
            assertThat(Host.await(thief)).isBetween(1L, 2L);
            counter.close();
        }
    }

    /** What the poller has not come to is bounded, however fast the front end talks. */
    @Test
    void shouldKeepFewDescriptorsOpenHoweverManyCome() throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        try (EventCounter counter = EventCounter.open();
                KickPoller poller = new KickPoller("test", 1, Host::daemon, () -> { })) {
            long before = KernelCounts.descriptors();

            for (int i = 0; i < 1000; i++) {
                poller.watch(0, Pollable.of(duplicate(counter.descriptor())), doorbell);
                assertThat(KernelCounts.descriptors()).isLessThan(before + 100);
            }
        }
    }

    /** What was written to the descriptor before, and not read yet, goes with it. */
    @Test
    @Rule("VHU-20")
    void shouldLookOnceWhenADescriptorIsReplaced() throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        try (Wire one = Wire.ofPipe(); Wire two = Wire.ofPipe();
                KickPoller poller = new KickPoller("test", 1, Host::daemon, () -> { })) {
            poller.watch(0, Pollable.of(duplicate(one.readEnd())), doorbell);
            poller.settle();
            doorbell.testAndClear();

            poller.watch(0, Pollable.of(duplicate(two.readEnd())), doorbell);

            poller.settle();
            assertThat(doorbell.testAndClear()).isTrue();
        }
    }

    /** A socket that listens is ready when somebody wants in, and can never be read. */
    @Test
    void shouldSayOncePerFrontEndThatKicksAreNotHeardAnyMore() throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        AFUNIXSocketAddress address = AFUNIXSocketAddress.of(directory.resolve("s"));
        try (LogLines log = new LogLines();
                AFUNIXServerSocket listener = AFUNIXServerSocket.bindOn(address);
                AFUNIXSocket guest = AFUNIXSocket.connectTo(address);
                KickPoller poller = new KickPoller("test", 2, Host::daemon, () -> { })) {
            for (int i = 0; i < 2; i++) {
                FileDescriptor deaf = duplicate(listener.getFileDescriptor());
                poller.watch(i, Pollable.of(deaf).readyFor(false), doorbell);
                awaitOpen(2 + i, deaf);
            }

            assertThat(guest.isConnected()).isTrue();
            assertThat(log.take()).singleElement().asString()
                    .contains("test: kicks of queue 0 are not heard any more");
        }
    }

    @Test
    void shouldCloseWhatItWatched() throws Exception {
        EventNotifier doorbell = new EventNotifier("kick");
        List<Pollable> kicks;
        try (Wire one = Wire.ofPipe(); Wire two = Wire.ofPipe()) {
            kicks = List.of(Pollable.of(one.readEnd()), Pollable.of(two.readEnd()));
            try (KickPoller poller = new KickPoller("test", 2, Host::daemon, () -> { })) {
                poller.watch(0, kicks.get(0), doorbell);
                poller.watch(0, kicks.get(1), doorbell);
                poller.watch(1, Pollable.of(two.writeEnd()), doorbell);
                assertThat(kicks.get(0).isOpen()).isFalse();
            }
        }

        assertThat(kicks).noneMatch(Pollable::isOpen);
    }

    private static FileDescriptor duplicate(FileDescriptor descriptor) throws IOException {
        return FileDescriptorCast.duplicating(descriptor).getFileDescriptor();
    }

    private static void awaitParked() {
        Host.until(() -> Thread.getAllStackTraces().entrySet().stream()
                .anyMatch(PollableTest::isParked), () -> "the guard never sleeps");
    }

    private static boolean isParked(Map.Entry<Thread, StackTraceElement[]> thread) {
        return thread.getKey().getState() == Thread.State.WAITING
                && Arrays.stream(thread.getValue()).anyMatch(
                        at -> at.getClassName().contains("Guard"));
    }

    private static Wire wire(boolean sockets) throws IOException {
        return sockets ? Wire.ofSockets() : Wire.ofPipe();
    }

    private static void await(EventNotifier doorbell) {
        Host.until(doorbell::testAndClear, () -> "no kick came");
    }

    /** Until so few are left of the same file: what the poller reads by is closed when it ends. */
    private static void awaitOpen(long left, FileDescriptor descriptor) {
        Host.until(() -> Machine.quietly(() -> KernelCounts.onTheSameAs(descriptor)) == left,
                () -> "the poller has not let go");
    }
}
