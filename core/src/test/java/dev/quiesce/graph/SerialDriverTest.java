package dev.quiesce.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.HeldDriver;
import dev.quiesce.backend.Machine;
import dev.quiesce.backend.Recorder;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SerialDriverTest {
    private Machine machine;
    private HeldDriver driver;
    private BlockBackend backend;

    @BeforeEach
    void build() {
        machine = new Machine();
        driver = new HeldDriver("d").holding();
        driver.concurrent = false;
        backend = machine.backend("disk", machine.node("n", driver), machine.main);
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    void shouldLetOneRequestInAtATimeInTheOrderOfArrival() {
        Recorder inA = new Recorder(machine.a);
        Recorder inB = new Recorder(machine.b);
        List<Long> seen = new ArrayList<>();
        backend.port(machine.a).submit(Machine.write(inA, 0));
        backend.port(machine.b).submit(Machine.read(inB, 512));
        backend.port(machine.a).submit(Machine.read(inA, 1024));

        for (int i = 0; i < 3; i++) {
            machine.settle();
            assertThat(driver.held).hasSize(1);
            BlockRequest request = driver.held.poll();
            seen.add(request.offsetBytes());
            request.complete(BlockStatus.OK, null);
        }
        machine.settle();

        assertThat(seen).containsExactly(0L, 512L, 1024L);
        assertThat(inA.statuses).containsExactly(BlockStatus.OK, BlockStatus.OK);
        assertThat(inB.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    void shouldResumeEachWaiterInItsOwnContext() {
        Recorder inA = new Recorder(machine.a);
        Recorder inB = new Recorder(machine.b);
        List<BlockRequest> requests =
                List.of(Machine.read(inA), Machine.read(inB), Machine.read(inA));
        driver.holding = false;

        machine.a.execute(() -> backend.port(machine.a).submit(requests.get(0)));
        machine.b.execute(() -> backend.port(machine.b).submit(requests.get(1)));
        machine.a.execute(() -> backend.port(machine.a).submit(requests.get(2)));
        machine.settle();

        assertThat(inA.statuses).containsExactly(BlockStatus.OK, BlockStatus.OK);
        assertThat(inB.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    void shouldGiveTheTurnOfACancelledWaiterToTheNext() {
        Recorder recorder = new Recorder(machine.a);
        BlockRequest first = Machine.read(recorder);
        BlockRequest cancelled = Machine.read(recorder);
        BlockRequest last = Machine.read(recorder);
        for (BlockRequest request : List.of(first, cancelled, last)) {
            backend.port(machine.a).submit(request);
        }

        cancelled.cancel();
        driver.release();
        machine.settle();

        assertThat(recorder.requests).containsExactly(first, cancelled, last);
        assertThat(recorder.statuses).containsExactly(
                BlockStatus.OK, BlockStatus.CANCELLED, BlockStatus.OK);
        assertThat(driver.served).isEqualTo(2);
    }

    @Test
    void shouldReachTheDriverWhenTheHolderIsCancelled() {
        Recorder recorder = new Recorder(machine.a);
        BlockRequest request = Machine.read(recorder);
        backend.port(machine.a).submit(request);

        request.cancel();
        machine.settle();

        assertThat(recorder.statuses).containsExactly(BlockStatus.CANCELLED);
    }

    @Test
    void shouldBeDrainedWithItsWaiters() {
        Recorder recorder = new Recorder();
        for (int i = 0; i < 3; i++) {
            backend.port(machine.main).submit(Machine.read(recorder));
        }
        machine.main.execute(driver::release);

        DrainedSection.begin(backend).close();

        assertThat(recorder.statuses).hasSize(3).containsOnly(BlockStatus.OK);
    }

    @Test
    void shouldTakeTheSameRequestAgainAndAgain() {
        driver.holding = false;
        Recorder recorder = new Recorder();
        BlockRequest request = Machine.read(recorder);

        for (int i = 0; i < 3; i++) {
            backend.port(machine.main).submit(request);
            machine.settle();
            request.prepare(request.operation(), 0, 512, Machine.bytes(512), 0);
        }

        assertThat(recorder.statuses).hasSize(3).containsOnly(BlockStatus.OK);
    }
}
