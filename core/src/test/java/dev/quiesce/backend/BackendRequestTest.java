package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BackendRequestTest {
    private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);

    private static final long LENGTH = 64 * 1024;

    private Machine machine;

    @BeforeEach
    void build() {
        machine = new Machine();
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    @Rule("BB-34")
    @Rule("BB-36")
    @Rule("AIO-68")
    @Rule("I3")
    @Rule("BUG-64")
    void shouldCompleteInTheSubmittersContextAndNeverInsideSubmit() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        Recorder recorder = new Recorder(machine.b);

        backend.port(machine.b).submit(Machine.read(recorder));

        assertThat(recorder.statuses).isEmpty();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    @Rule("BB-30")
    @Rule("BB-33")
    void bbkT01ShouldAnswerAnEmptyDriveAsynchronouslyAndCountIt() {
        BlockBackend backend = machine.backend("empty", null, machine.main);
        Recorder recorder = new Recorder(machine.main);

        backend.port(machine.main).submit(Machine.flush(recorder));

        assertThat(recorder.statuses).isEmpty();
        assertThat(backend.isBusy()).isTrue();
        DrainedSection.begin(backend).close();
        assertThat(recorder.statuses).containsExactly(BlockStatus.NO_MEDIUM);
    }

    @Test
    @Rule("BB-25")
    @Rule("REQ-7")
    void biotT01ShouldRefuseWhatLiesOutsideBeforeTheDriver() {
        HeldDriver driver = new HeldDriver("d");
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);

        assertThat(run(backend, Operation.READ, 0, 512)).isEqualTo(BlockStatus.OK);
        assertThat(run(backend, Operation.READ, -2, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.WRITE, -2, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.READ, LENGTH - 256, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.READ, LENGTH, 0)).isEqualTo(BlockStatus.OK);
        assertThat(run(backend, Operation.READ, LENGTH + 1, 0)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.DISCARD, -2, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.DISCARD, 0, -1)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.WRITE_ZEROES, Long.MAX_VALUE, 512))
                .isEqualTo(BlockStatus.INVALID);
        assertThat(driver.served).isEqualTo(2);
    }

    @Test
    @Rule("BB-25")
    @Rule("BB-23")
    @Rule("REQ-9")
    @Rule("REQ-11")
    void shouldCheckMediumThenBoundsThenRights() {
        BackendConfig config = BackendConfig.named("ro").withReadOnly(true);
        BlockBackend backend = BlockBackend.create(machine.graph, config, null, machine.main);

        assertThat(run(backend, Operation.WRITE, -2, 512)).isEqualTo(BlockStatus.NO_MEDIUM);
        backend.insert(node("n"));
        assertThat(run(backend, Operation.WRITE, -2, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.WRITE, 0, 512)).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(run(backend, Operation.DISCARD, 0, 512)).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(run(backend, Operation.READ, 0, 512)).isEqualTo(BlockStatus.OK);
        assertThat(backend.limits().readOnly()).isTrue();
    }

    @Test
    @Rule("BB-28")
    void shouldCheckADiscardAsAWriteAndAskOnlyForAMediumBeforeAFlush() {
        HeldDriver driver = new HeldDriver("d");
        BackendConfig config = BackendConfig.named("ro").withReadOnly(true);
        BlockBackend backend = BlockBackend.create(machine.graph, config, null, machine.main);

        assertThat(run(backend, Operation.FLUSH, 0, 0)).isEqualTo(BlockStatus.NO_MEDIUM);
        assertThat(run(backend, Operation.DISCARD, 0, 512)).isEqualTo(BlockStatus.NO_MEDIUM);
        backend.insert(machine.node("n", driver));
        assertThat(run(backend, Operation.DISCARD, LENGTH, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(run(backend, Operation.DISCARD, 0, 512)).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(driver.served).isZero();

        assertThat(run(backend, Operation.FLUSH, 0, 0)).isEqualTo(BlockStatus.OK);
        assertThat(driver.served).isEqualTo(1);
    }

    @Test
    @Rule("REQ-4")
    void shouldGiveEveryCountBackHoweverARequestEnds() {
        HeldDriver driver = new HeldDriver("d");
        BackendConfig config = BackendConfig.named("ro").withReadOnly(true);
        BlockBackend backend = BlockBackend.create(machine.graph, config, null, machine.main);

        endsBalanced(backend, Operation.FLUSH, 0, 0, BlockStatus.NO_MEDIUM);
        backend.insert(machine.node("n", driver));
        endsBalanced(backend, Operation.READ, LENGTH, 512, BlockStatus.INVALID);
        endsBalanced(backend, Operation.WRITE, 0, 512, BlockStatus.READ_ONLY);
        endsBalanced(backend, Operation.FLUSH, 0, 0, BlockStatus.OK);
        endsBalanced(backend, Operation.READ, 0, 512, BlockStatus.OK);
        driver.holding();
        Recorder recorder = new Recorder(machine.a);
        BlockRequest held = Machine.read(recorder);
        backend.port(machine.a).submit(held);
        assertThat(backend.gate().inFlight()).isEqualTo(1);
        held.cancel();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.CANCELLED);
        assertThat(backend.gate().inFlight()).isZero();
        assertThat(driver.served).isEqualTo(3);
    }

    @Test
    @Rule("BB-40")
    void shouldLetALaterRequestEndBeforeAnEarlierOne() {
        HeldDriver driver = new HeldDriver("d").holding();
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);
        Recorder recorder = new Recorder(machine.a);
        BlockRequest first = Machine.write(recorder, 0);
        BlockRequest second = Machine.write(recorder, 0);
        backend.port(machine.a).submit(first);
        backend.port(machine.a).submit(second);

        driver.held.pollLast().complete(BlockStatus.OK, null);
        machine.settle();
        assertThat(recorder.requests).containsExactly(second);
        driver.release();
        machine.settle();

        assertThat(recorder.requests).containsExactly(second, first);
    }

    @Test
    @Rule("DRAIN-27")
    @Rule("DRAIN-61")
    @Rule("DRAIN-59")
    @Rule("BUG-84")
    void shouldParkWhileDrainedAndReplayInOrder() {
        HeldDriver driver = new HeldDriver("d");
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);
        Port port = backend.port(machine.a);
        Recorder recorder = new Recorder(machine.a);
        List<BlockRequest> requests = new ArrayList<>();

        DrainedSection section = DrainedSection.begin(backend);
        for (int i = 0; i < 3; i++) {
            requests.add(Machine.read(recorder, i * 512L));
            port.submit(requests.get(i));
        }
        machine.settle();

        assertThat(driver.served).isZero();
        assertThat(port.parkedCount()).isEqualTo(3);
        assertThat(requests).allMatch(BlockRequest::isParked);
        assertThat(backend.isBusy()).isFalse();
        section.close();
        assertThat(recorder.requests).isEmpty();
        machine.settle();
        assertThat(recorder.requests).isEqualTo(requests);
        assertThat(backend.stats().parked()).isEqualTo(3);
        assertThat(backend.stats().replayed()).isEqualTo(3);
        assertThat(port.parkedCount()).isZero();
    }

    @Test
    @Rule("DRAIN-61")
    void shouldStayParkedWhileAnotherSectionCoversTheBackend() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        Recorder recorder = new Recorder();

        DrainedSection first = DrainedSection.begin(backend);
        DrainedSection second = DrainedSection.begin(backend);
        backend.port(machine.a).submit(Machine.read(recorder));
        first.close();
        machine.settle();

        assertThat(recorder.statuses).isEmpty();
        second.close();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    @Rule("BB-26")
    @Rule("BB-15")
    void shouldCheckAgainstTheMediumThatIsThereWhenTheRequestStarts() {
        BlockBackend backend = machine.backend("disk", node("long"), machine.main);
        BlockNode small = machine.node("short", new NullDriver(1024));
        Recorder recorder = new Recorder();

        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.main).submit(Machine.read(recorder, 4096));
        backend.port(machine.main).submit(Machine.read(recorder, 512));
        backend.replace(small);
        section.close();
        machine.settle();

        assertThat(recorder.statuses).containsExactlyInAnyOrder(
                BlockStatus.INVALID, BlockStatus.OK);
    }

    @Test
    @Rule("BB-41")
    void shouldCompleteACancelledParkedRequestExactlyOnce() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        Recorder recorder = new Recorder(machine.a);
        BlockRequest cancelled = Machine.read(recorder);
        BlockRequest other = Machine.read(recorder);

        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.a).submit(cancelled);
        backend.port(machine.a).submit(other);
        cancelled.cancel();
        assertThat(recorder.statuses).isEmpty();
        assertThat(backend.isBusy()).isTrue();
        machine.settle();

        assertThat(recorder.requests).containsExactly(cancelled);
        assertThat(recorder.statuses).containsExactly(BlockStatus.CANCELLED);
        assertThat(backend.isBusy()).isFalse();
        section.close();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.CANCELLED, BlockStatus.OK);
        assertThat(backend.stats().cancelledWhileParked()).isEqualTo(1);
        assertThat(backend.stats().cancelledInDriver()).isZero();
    }

    @Test
    @Rule("BB-41")
    void shouldLetTheDriverCompleteACancelledRequest() {
        HeldDriver driver = new HeldDriver("d").holding();
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);
        Recorder recorder = new Recorder(machine.a);
        BlockRequest request = Machine.read(recorder);

        backend.port(machine.a).submit(request);
        request.cancel();
        machine.settle();

        assertThat(recorder.statuses).containsExactly(BlockStatus.CANCELLED);
        assertThat(driver.cancels).containsExactly(request);
        assertThat(backend.stats().cancelledInDriver()).isEqualTo(1);
    }

    @Test
    void shouldSendAHeldRequestPastAnOpenSection() {
        HeldDriver driver = new HeldDriver("d");
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);
        Recorder recorder = new Recorder(machine.a);
        BlockRequest request = Machine.read(recorder);

        DrainedSection section = DrainedSection.begin(backend);
        Hold hold = backend.gate().hold("test", machine.a);
        backend.port(machine.a).submitHeld(request, hold);
        hold.close();

        assertThat(driver.served).isEqualTo(1);
        assertThat(backend.isBusy()).isTrue();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        section.close();
        BlockRequest late = Machine.read(recorder);
        assertThatThrownBy(() -> backend.port(machine.a).submitHeld(late, hold))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    @Rule("I2")
    void shouldRefuseAHoldOnAnotherGate() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.main);
        BlockBackend other = machine.backend("other", node("m"), machine.main);
        DrainedSection section = DrainedSection.begin(backend);
        Recorder recorder = new Recorder();

        try (Hold hold = other.gate().hold("walk", machine.main)) {
            assertThatThrownBy(() ->
                    backend.port(machine.main).submitHeld(Machine.read(recorder), hold))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("other");
        }

        assertThat(section.isSettled()).isTrue();
        section.close();
        machine.settle();
        assertThat(recorder.statuses).isEmpty();
    }

    @Test
    void shouldRefuseSubmissionFromElsewhere() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        Recorder recorder = new Recorder();
        AioContext foreign =
                new AioContext("foreign", machine.seams);

        Port port = backend.port(foreign);

        assertThat(backend.port(foreign)).isSameAs(port);
        assertThatThrownBy(() -> port.submit(Machine.read(recorder)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("foreign");
        assertThat(backend.isBusy()).isFalse();
    }

    @Test
    @Rule("BB-66")
    void shouldCountWhatWentThrough() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);

        run(backend, Operation.READ, 0, 1024);
        run(backend, Operation.WRITE, 0, 512);
        run(backend, Operation.READ, -1, 512);

        BackendStats stats = backend.stats();
        assertThat(stats.requests()).isEqualTo(3);
        assertThat(stats.readBytes()).isEqualTo(1024);
        assertThat(stats.writtenBytes()).isEqualTo(512);
        assertThat(stats.failed()).isEqualTo(1);
        assertThat(stats.parked()).isZero();
    }

    @Test
    @Rule("DRAIN-62")
    void shouldTellForHowLongSomethingHasBeenParked() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        Port port = backend.port(machine.a);

        assertThat(port.oldestParkedNanos()).isZero();
        DrainedSection section = DrainedSection.begin(backend);
        port.submit(Machine.read(new Recorder()));

        machine.aheadNanos += HOUR_NANOS;
        port.submit(Machine.read(new Recorder()));
        machine.aheadNanos += HOUR_NANOS;

        assertThat(port.oldestParkedNanos()).isBetween(2 * HOUR_NANOS, 3 * HOUR_NANOS);
        assertThat(port.parkedCount()).isEqualTo(2);
        section.close();
        machine.settle();
        assertThat(port.oldestParkedNanos()).isZero();
    }

    @Test
    @Rule("BB-36")
    void shouldCompleteAFailedRequestThoughTheErrorHandlerThrows() {
        HeldDriver driver = new HeldDriver("d").holding();
        BlockBackend backend = machine.backend("disk", machine.node("n", driver), machine.a);
        Recorder recorder = new Recorder(machine.a);
        backend.port(machine.a).submit(Machine.read(recorder));
        machine.handlerThrows = true;

        driver.held.remove().complete(BlockStatus.IO_ERROR, new IllegalArgumentException("disk"));
        machine.settle();

        assertThat(recorder.statuses).containsExactly(BlockStatus.IO_ERROR);
        assertThat(backend.isBusy()).isFalse();
        assertThat(machine.errors).hasSize(1);
        machine.errors.clear();
    }

    /** What else BB-1 names does not exist: error policies, statistics that can be off. */
    @Test
    @Rule("BB-1")
    void shouldBeginEmptyWritableImmovableAndParking() {
        BlockBackend backend =
                BlockBackend.create(machine.graph, BackendConfig.named(""), null, machine.a);
        assertThat(backend.name()).isEmpty();
        assertThat(backend.root()).isNull();
        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(backend.isReadOnly()).isFalse();
        assertThat(backend.isQuiesced()).isFalse();
        assertThat(backend.isBusy()).isFalse();
        assertThat(backend.stats()).isEqualTo(new BackendStats(0, 0, 0, 0, 0, 0, 0, 0, 0));

        BlockNode node = node("n");
        backend.insert(node);
        BlockBackend other = machine.movableBackend("other", node, machine.a);
        assertThatThrownBy(() -> other.setContext(machine.b)).as("by default others cannot move it")
                .isInstanceOf(BlockLayerException.class);
        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(run(backend, Operation.WRITE, LENGTH - 512, 512)).isEqualTo(BlockStatus.OK);
        assertThat(run(backend, Operation.WRITE, LENGTH, 512)).as("beyond the end")
                .isEqualTo(BlockStatus.INVALID);
        Recorder recorder = new Recorder(machine.a);
        try (DrainedSection section = DrainedSection.begin(backend)) {
            backend.port(machine.a).submit(Machine.read(recorder));
            machine.settle();
            assertThat(backend.port(machine.a).parkedCount()).isEqualTo(1);
        }
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    @Rule("BB-32")
    @Rule("BB-29")
    void shouldHaveDefaultsWithoutARoot() {
        BlockBackend backend = machine.backend("empty", null, machine.main);

        assertThat(backend.limits().requestAlignmentBytes()).isEqualTo(512);
        assertThat(backend.limits().maxTransferBytes()).isEqualTo(Integer.MAX_VALUE / 512 * 512L);
        assertThat(backend.lengthBytes()).isZero();
        assertThat(backend.isReadOnly()).isFalse();
    }

    @Test
    @Rule("REQ-8")
    void shouldPromiseNoLongerTransferThanItTakes() {
        BlockBackend backend = machine.backend("disk",
                machine.node("n", new NullDriver(8L << 30)), machine.a);
        long most = backend.limits().maxTransferBytes();

        assertThat(most).isEqualTo(Integer.MAX_VALUE / 512 * 512L);
        assertThat(transfer(backend, most)).isEqualTo(BlockStatus.OK);
        assertThat(transfer(backend, most + 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(backend.limits().maxWriteZeroesBytes()).isEqualTo(BlockLimits.UNLIMITED);
    }

    @Test
    @Rule("REQ-8")
    void shouldKeepToTheStricterOfNodeAndBackend() {
        HeldDriver driver = new HeldDriver("d");
        BlockBackend backend = BlockBackend.create(machine.graph,
                BackendConfig.named("disk").withReadOnly(true),
                machine.node("n", driver), machine.main);
        driver.limits = BlockLimits.unlimited().withAlignment(4096, 1);
        machine.graph.lengthsChanged(backend.root());

        assertThat(backend.limits().requestAlignmentBytes()).isEqualTo(4096);
        assertThat(backend.limits().maxTransferBytes()).isEqualTo((2L << 30) - 4096);
        assertThat(backend.limits().readOnly()).isTrue();
        assertThat(backend.limits()).isSameAs(backend.limits());
        driver.limits = BlockLimits.unlimited().withBounds(1024, 1024, 1024);
        machine.graph.lengthsChanged(backend.root());
        assertThat(backend.limits().maxTransferBytes()).isEqualTo(1024);
    }

    private BlockStatus transfer(BlockBackend backend, long bytes) {
        IoVector vector = new IoVector();
        ByteBuffer memory = ByteBuffer.allocate(1 << 20);
        for (long left = bytes; left > 0; left -= memory.capacity()) {
            vector.add(memory, 0, (int) Math.min(left, memory.capacity()));
        }
        Recorder recorder = new Recorder(machine.a);
        backend.port(machine.a).submit(new BlockRequest(recorder)
                .prepare(Operation.WRITE, 0, bytes, vector, 0));
        machine.settle();
        return recorder.statuses.get(0);
    }

    private void endsBalanced(
            BlockBackend backend, Operation op, long offset, long length, BlockStatus status) {
        assertThat(run(backend, op, offset, length)).isEqualTo(status);
        assertThat(backend.gate().inFlight()).as("after %s", status).isZero();
        DrainedSection.begin(backend).close(); // It would wait for ever, or not at all.
        assertThat(backend.gate().inFlight()).isZero();
    }

    private BlockNode node(String name) {
        return machine.node(name, new NullDriver(LENGTH));
    }

    private BlockStatus run(BlockBackend backend, Operation op, long offset, long length) {
        Recorder recorder = new Recorder(machine.a);
        BlockRequest request = new BlockRequest(recorder).prepare(op, offset, length,
                op.hasPayload() ? Machine.bytes((int) Math.max(0, length)) : null, 0);
        backend.port(machine.a).submit(request);
        machine.settle();
        return recorder.statuses.get(0);
    }
}
