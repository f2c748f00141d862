package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Gate;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What becomes of a front end that is connected, and has commands in flight, when we stop. */
class OrderlyEndTest extends ServedSocket {
    private static final int REQUESTS = VirtioScsi.FIRST_REQUEST_QUEUE;
    private static final int BYTES = 4096;

    /** How often the main loop goes round before we believe that nobody reads any more. */
    private static final int TURNS_WITHOUT_ROOM = 500;

    private Path image;

    /** The first makes the image. */
    @Override
    Host newHost() throws Exception {
        image = directory.resolve("image");
        if (Files.notExists(image)) {
            Files.write(image, new byte[1 << 20]);
        }
        return new Host(socket, 2, FileDriver.open(FileConfig.writable(image)));
    }

    @Test
    @Rule("VHU-17")
    void shouldCompleteWhatWasFetchedBeforeItEndsTheConnection() throws Exception {
        try (Machine machine = Machine.booted(socket); Wire call = Wire.ofSockets()) {
            GuestCommand held = holdOneWrite(machine);
            machine.frontEnd.send(13, payload -> payload.putLong(REQUESTS), call.writeEnd());
            assertThat(call.await()).as("once, because it is new").isTrue();
            machine.driver.enableInterrupts();

            CompletableFuture<Void> closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();
            assertThat(closed).isNotDone();
            assertThat(held.isOutstanding()).isTrue();
            host.gate.open();
            Host.await(closed);

            assertThat(call.await()).isTrue();
            machine.driver.poll();
            assertThat(held.isGood()).as("%s", held).isTrue();
            assertThat(imageAt(1)).isEqualTo(content(1));
            assertThat(machine.inflight().count(REQUESTS)).isZero();
            machine.frontEnd.awaitClosed();
        }
    }

    @Test
    @Rule("VHU-17")
    void shouldLeaveInTheRingWhatItHasNotFetchedForTheNextOne() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            GuestCommand held = holdOneWrite(machine);
            CompletableFuture<Void> closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();

            GuestCommand late = submitWrite(machine, 0, 2);
            GuestCommand elsewhere = submitWrite(machine, 1, 3);
            host.gate.open();
            Host.await(closed);
            machine.until(() -> !held.isOutstanding());

            machine.driver.poll();
            assertThat(late.isOutstanding()).isTrue();
            assertThat(elsewhere.isOutstanding()).isTrue();
            assertThat(imageAt(2)).containsOnly(0);
            host.close();
            host = newHost();
            machine.reconnect(socket);
            machine.until(() -> machine.driver.outstanding() == 0);
            assertThat(late.response()).isEqualTo(GuestCommand.RESPONSE_OK);
            assertThat(elsewhere.response()).isEqualTo(GuestCommand.RESPONSE_OK);
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VHU-17")
    void shouldWaitForCommandsThatAreParkedUntilTheirSectionEnds() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            takeUnitAttention(machine);
            DrainedSection section = beginSection();
            GuestCommand parked = submitWrite(machine, 0, 1);
            awaitParked();

            CompletableFuture<Void> closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();
            assertThat(closed).isNotDone();
            Host.await(section.closeAsync());
            Host.await(closed);

            machine.driver.poll();
            assertThat(parked.isGood()).isTrue();
        }
    }

    @Test
    @Rule("VHU-45")
    void shouldCancelWhatItWaitsForWhenItIsToldToBeQuick() throws Exception {
        try (Machine machine = Machine.booted(socket)) {
            takeUnitAttention(machine);
            DrainedSection section = beginSection();
            submitWrite(machine, 0, 1);
            awaitParked();
            CompletableFuture<Void> closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();

            Host.await(host.server.closeNowAsync());

            Host.await(closed);
            assertThat(host.disk.backend().gate().parkedCount()).isZero();
            Host.await(section.closeAsync());
            assertThat(imageAt(1)).containsOnly(0);
        }
    }

    @Test
    @Rule("VHU-45")
    void shouldNotWaitForTheCommandsOfAFrontEndThatGoesMeanwhile() throws Exception {
        CompletableFuture<Void> closed;
        try (Machine machine = Machine.booted(socket)) {
            holdOneWrite(machine);
            closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();
            assertThat(closed).isNotDone();
        }

        Host.await(closed);

        assertThat(host.gate.heldCount()).isZero();
        assertThat(imageAt(1)).containsOnly(0);
    }

    @Test
    void shouldNotWaitForTheCommandsOfAFrontEndThatMakesAThreadWaitMeanwhile() throws Exception {
        try (Machine machine = Machine.booted(socket); EventCounter call = EventCounter.open();
                LogLines log = new LogLines()) {
            GuestCommand first = holdOneWrite(machine);
            GuestCommand second = submitWrite(machine, 0, 2);
            awaitHeld(2);
            host.meanwhile = () -> Machine.quietly(() -> {
                call.makeBlocking();
                return null;
            });
            machine.frontEnd.send(13, payload -> payload.putLong(REQUESTS), call.descriptor());
            machine.frontEnd.settle();
            call.fill();
            machine.driver.enableInterrupts();
            CompletableFuture<Void> closed = host.server.closeAsync().toCompletableFuture();
            host.awaitStopOfRings();

            host.gate.release(1);
            Host.await(closed);

            machine.driver.poll();
            assertThat(first.isGood()).isTrue();
            assertThat(second.isGood()).isFalse();
            assertThat(log.take()).singleElement().asString().contains("made to wait");
        }
    }

    /** Its answer would wait in the socket until it is taken, and we with it. */
    @Test
    void shouldNotWaitForAFrontEndThatDoesNotTakeItsAnswers() throws Exception {
        ByteBuffer question = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder())
                .putInt(1).putInt(FrontEnd.VERSION).putInt(0);
        try (SocketChannel deaf = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            deaf.configureBlocking(false);
            int turnsWithoutRoom = 0;
            while (turnsWithoutRoom < TURNS_WITHOUT_ROOM) {
                turnsWithoutRoom = ask(deaf, question) ? 0 : turnsWithoutRoom + 1;
                host.onMain(() -> null);
            }

            Host.await(host.server.closeAsync());
        }
    }

    private static boolean ask(SocketChannel deaf, ByteBuffer question) throws IOException {
        return deaf.write(question.rewind()) > 0;
    }

    /** Half a message, and then silence. */
    @Test
    void shouldSayNothingOfAMessageThatItDoesNotListenToAnyMore() throws Exception {
        try (Machine machine = Machine.booted(socket); LogLines log = new LogLines()) {
            machine.frontEnd.sendBytes(new byte[] {8, 0, 0});

            Host.await(host.server.closeAsync());

            machine.frontEnd.awaitClosed();
            assertThat(log.take()).isEmpty();
        }
    }

    private GuestCommand holdOneWrite(Machine machine) {
        takeUnitAttention(machine);
        host.gate.shut();
        GuestCommand held = submitWrite(machine, 0, 1);
        awaitHeld(1);
        return held;
    }

    private DrainedSection beginSection() throws Exception {
        return Host.await(DrainedSection.beginAsync(host.main, host.disk.backend()));
    }

    private void awaitHeld(int count) {
        Host.until(() -> host.gate.heldCount() >= count, this::describeDisk);
    }

    private void awaitParked() {
        Host.until(() -> host.disk.backend().gate().parkedCount() > 0, this::describeDisk);
    }

    private String describeDisk() {
        Gate gate = host.disk.backend().gate();
        return host.gate.heldCount() + " requests held by the driver, " + gate.inFlight()
                + " in flight, " + gate.parkedCount() + " parked; " + host.server.status();
    }

    private static void takeUnitAttention(Machine machine) {
        try (GuestSession session = machine.session()) {
            session.execute(0, 0, GuestCdb.testUnitReady());
        }
    }

    private static GuestCommand submitWrite(Machine machine, int queue, int place) {
        long buffer = machine.shared.ram.allocate(BYTES, 512);
        machine.shared.ram.write(buffer, content(place));
        GuestCommand write = machine.driver.newCommand(null)
                .cdb(0, 0, GuestCdb.write10(place * (BYTES / 512L), BYTES / 512, false))
                .dataOut(buffer, BYTES);
        assertThat(machine.driver.submit(queue, write)).isTrue();
        machine.driver.kick();
        return write;
    }

    private byte[] imageAt(int place) throws IOException {
        return Arrays.copyOfRange(Files.readAllBytes(image), place * BYTES, (place + 1) * BYTES);
    }

    private static byte[] content(int place) {
        byte[] bytes = new byte[BYTES];
        new Random(place).nextBytes(bytes);
        return bytes;
    }
}
