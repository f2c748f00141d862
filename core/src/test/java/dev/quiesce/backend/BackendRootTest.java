package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Parker;
import dev.quiesce.aio.Spin;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Insertion, removal, making and closing, in the middle of sections. */
class BackendRootTest extends OnTwoNodes {
    @Test
    @Rule("BB-13")
    @Rule("DRAIN-61")
    void shouldFailWhatIsParkedWhenTheRootIsRemoved() {
        Recorder recorder = new Recorder();

        DrainedSection section = DrainedSection.begin(top);
        backend.port(machine.main).submit(Machine.read(recorder));
        backend.removeRoot();

        assertThat(backend.root()).isNull();
        assertThat(backend.isQuiesced()).isFalse();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.NO_MEDIUM);
        section.close();
        assertThat(topDriver.drained()).isZero();
    }

    @Test
    @Rule("BB-13")
    @Rule("BB-69")
    @Rule("BUG-55")
    @Rule("BUG-56")
    @Rule("BUG-95")
    void shouldFinishWhatIsInFlightOnTheOldRootBeforeRemovingIt() {
        Recorder recorder = readHeldInTop();

        backend.removeRoot();

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    @Rule("DRAIN-41")
    void shouldStartQuiescedOnADrainedNodeAndResumeWithIt() {
        List<String> log = new ArrayList<>();
        BlockBackend second = machine.backend("disk2", null, machine.main);
        second.addListener(logging(log));

        DrainedSection section = DrainedSection.begin(top);
        second.insert(top);

        assertThat(second.isQuiesced()).isTrue();
        assertThat(log).containsExactly("drainedBegin");
        section.close();
        assertThat(second.isQuiesced()).isFalse();
        assertThat(log).containsExactly("drainedBegin", "drainedEnd");
    }

    @Test
    @Rule("BB-4")
    @Rule("BB-5")
    void shouldCloseWithParkedRequestsAnsweredAndTheNameFree() {
        Recorder recorder = new Recorder();

        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.main).submit(Machine.read(recorder));
        section.close();
        BlockRequest second = Machine.read(recorder);
        machine.main.execute(() -> backend.port(machine.main).submit(second));
        backend.close();
        backend.close();

        assertThat(backend.isBusy()).isFalse();
        assertThat(recorder.statuses).first().isEqualTo(BlockStatus.OK);
        assertThat(recorder.statuses).hasSize(2);
        BlockBackend again = machine.backend("disk", top, machine.main);
        assertThat(again.root()).isSameAs(top);
        assertThatThrownBy(() -> backend.insert(top)).hasMessageContaining("is closed");
    }

    @Test
    @Rule("BB-4")
    @Rule("DRAIN-61")
    @Rule("BUG-94")
    void shouldAnswerWhatIsParkedInSomebodysSectionBeforeItIsClosed() {
        Recorder recorder = new Recorder();
        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.main).submit(Machine.read(recorder));
        backend.port(machine.main).submit(Machine.read(recorder));

        backend.close();

        assertThat(recorder.statuses)
                .containsExactly(BlockStatus.NO_MEDIUM, BlockStatus.NO_MEDIUM);
        assertThat(section.isSettled()).isTrue();
        assertThat(backend.port(machine.main).parkedCount()).isZero();
        section.close();
        machine.settle();
        assertThat(recorder.statuses).hasSize(2);
    }

    @Test
    @Rule("BB-4")
    @Rule("DRAIN-61")
    void shouldAnswerWhatOtherContextsHaveParkedBeforeItIsClosed() {
        Recorder recorder = new Recorder(machine.a);
        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.a).submit(Machine.read(recorder));

        CompletionStage<Void> closed = backend.closeAsync();
        machine.main.poll(0);
        assertThat(closed.toCompletableFuture()).isNotDone();
        machine.finish(closed);

        assertThat(recorder.statuses).containsExactly(BlockStatus.NO_MEDIUM);
        section.close();
    }

    @Test
    @Rule("BB-4")
    @Rule("DRAIN-61")
    void shouldParkNothingOnceItIsClosed() {
        Recorder recorder = new Recorder();
        Port old = backend.port(machine.main);
        DrainedSection section = DrainedSection.begin(backend);
        backend.close();

        old.submit(Machine.read(recorder));
        backend.port(machine.a).submit(Machine.read(new Recorder(machine.a)));

        assertThat(old.parkedCount()).isZero();
        assertThat(backend.port(machine.a).parkedCount()).isZero();
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.NO_MEDIUM);
        section.close();
    }

    @Test
    @Rule("BB-4")
    void shouldCloseAsynchronouslyFromAnywhere() {
        CompletionStage<Void> closed = backend.closeAsync();

        machine.finish(closed);

        assertThat(backend.root()).isNull();
        assertThat(machine.finish(backend.closeAsync())).isNull();
    }

    @Test
    @Rule("BB-4")
    void shouldCloseFromAForeignThreadThatMainOvertakes() throws Exception {
        LoopSeams seams = LoopSeams.system();
        seams = seams.withParker(new OvertakingParker(seams.parker()));
        try (IoThread loop =
                IoThread.start(new IoThreadConfig("main", Thread::new, seams, true))) {
            AioContext main = loop.context();
            CompletableFuture<BlockGraph> graph = new CompletableFuture<>();
            main.execute(() -> graph.complete(new BlockGraph(main)));
            BlockBackend each = BlockBackend.createAsync(graph.get(),
                    BackendConfig.named("disk"), null, main).toCompletableFuture().get();

            each.closeAsync().toCompletableFuture().get();
        }
    }

    @Test
    @Rule("BB-2")
    void shouldBeMadeAsynchronouslyFromAnywhere() {
        BlockBackend made = machine.finish(BlockBackend.createAsync(
                machine.graph, BackendConfig.named("made"), back, machine.main));

        assertThat(made.root()).isSameAs(back);
        CompletionStage<BlockBackend> refused = BlockBackend.createAsync(
                machine.graph, BackendConfig.named("made"), back, machine.main);
        machine.settle();
        assertThat(refused.toCompletableFuture()).isCompletedExceptionally();
    }

    @Test
    @Rule("BB-11")
    void shouldRefuseASecondMediumAndTheRemovalOfNone() {
        assertThatThrownBy(() -> backend.insert(back)).hasMessageContaining("already");
        backend.removeRoot();
        assertThatThrownBy(backend::removeRoot).hasMessageContaining("nothing is inserted");
    }

    private Recorder readHeldInTop() {
        Recorder recorder = new Recorder(machine.main);
        topDriver.holding();
        backend.port(machine.main).submit(Machine.read(recorder));
        assertThat(recorder.statuses).isEmpty();
        assertThat(topDriver.drained()).isZero();
        machine.main.execute(topDriver::release);
        return recorder;
    }

    private static BackendListener logging(List<String> log) {
        return new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("drainedBegin");
            }

            @Override
            public void drainedEnd() {
                log.add("drainedEnd");
            }
        };
    }

    /** Whoever wakes the loop goes on only when the loop has done its work and sleeps again. */
    private static final class OvertakingParker implements Parker {
        private final Parker parker;
        private final AtomicLong sleeps = new AtomicLong();

        OvertakingParker(Parker parker) {
            this.parker = parker;
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            sleeps.incrementAndGet();
            parker.park(context, maxNanos);
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            long before = sleeps.get();
            parker.unpark(context, owner);
            Spin.until(() -> owner == null || !owner.isAlive() || sleeps.get() != before,
                    context + " sleeps again");
        }
    }
}
