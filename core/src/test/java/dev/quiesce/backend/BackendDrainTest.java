package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.Background;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Drained sections of nodes and backends: the family of test-bdrv-drain. */
class BackendDrainTest extends OnTwoNodes {
    @Test
    @Rule("DRAIN-8")
    void drainT01ShouldTellEveryDriverOnceWhenAllNodesAreDrained() {
        Recorder recorder = readHeldInTop();

        DrainedSection section = DrainedSection.begin(top, back);

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(topDriver.drained()).isEqualTo(1);
        assertThat(backDriver.drained()).isEqualTo(1);
        section.close();
        assertThat(topDriver.drained()).isZero();
        assertThat(backDriver.drained()).isZero();
    }

    @Test
    @Rule("DRAIN-11")
    @Rule("DRAIN-12")
    void drainT02ShouldNotTravelToChildren() {
        Recorder recorder = readHeldInTop();

        DrainedSection section = DrainedSection.begin(top);

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(topDriver.drained()).isEqualTo(1);
        assertThat(backDriver.drained()).isZero();
        section.close();
        assertThat(topDriver.drained()).isZero();
    }

    @Test
    @Rule("DRAIN-13")
    void drainT04ShouldDrainFromACallbackByTheAsynchronousForm() {
        Recorder recorder = readHeldInTop();
        AtomicReference<CompletionStage<DrainedSection>> begun = new AtomicReference<>();

        machine.a.execute(() -> begun.set(DrainedSection.beginAsync(machine.main, top, back)));
        DrainedSection section = settleTo(begun);

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(topDriver.drained()).isEqualTo(1);
        assertThat(backDriver.drained()).isEqualTo(1);
        section.close();
        assertThat(topDriver.drained()).isZero();
    }

    @Test
    @Rule("DRAIN-1")
    @Rule("DRAIN-2")
    void drainT06ShouldCountExplicitSectionsAndQuiescedChildren() {
        DrainedSection section = DrainedSection.begin(top, back);

        assertThat(top.quiesceCount()).isEqualTo(2);
        assertThat(back.quiesceCount()).isEqualTo(1);
        section.close();
        assertThat(top.quiesceCount()).isZero();
        assertThat(back.quiesceCount()).isZero();
    }

    @Test
    @Rule("DRAIN-1")
    void drainT07ShouldCountTheDrainedNodeOnly() {
        DrainedSection section = DrainedSection.begin(top);

        assertThat(top.quiesceCount()).isEqualTo(1);
        assertThat(back.quiesceCount()).isZero();
        section.close();
        assertThat(top.quiesceCount()).isZero();
    }

    @Test
    @Rule("DRAIN-45")
    void drainT10ShouldNestInEveryPairWithOneHookEach() {
        Drainable[][] kinds = {{top, back}, {top}};
        for (Drainable[] outer : kinds) {
            for (Drainable[] inner : kinds) {
                int all = (outer.length == 2 ? 1 : 0) + (inner.length == 2 ? 1 : 0);
                DrainedSection first = DrainedSection.begin(outer);
                DrainedSection second = DrainedSection.begin(inner);

                assertThat(back.quiesceCount()).isEqualTo(all);
                assertThat(top.quiesceCount()).isEqualTo(2 + (all > 0 ? 1 : 0));
                assertThat(topDriver.drained()).isEqualTo(1);
                assertThat(backDriver.drained()).isEqualTo(all > 0 ? 1 : 0);
                second.close();
                first.close();
                assertThat(top.quiesceCount() + back.quiesceCount()).isZero();
                assertThat(topDriver.drained() + backDriver.drained()).isZero();
            }
        }
    }

    @Test
    @Rule("DRAIN-45")
    void shouldEndSectionsInAnyOrder() {
        DrainedSection first = DrainedSection.begin(back);
        DrainedSection second = DrainedSection.begin(top);

        first.close();
        assertThat(topDriver.drained()).isEqualTo(1);
        assertThat(backend.isQuiesced()).isTrue();
        second.close();

        assertThat(topDriver.drained()).isZero();
        assertThat(backend.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-7")
    void drainT11ShouldQuiesceAllParentsOfASharedChild() {
        HeldDriver otherDriver = new HeldDriver("other");
        BlockNode other = machine.node("other", otherDriver, back);
        BlockBackend otherBackend = machine.backend("disk2", other, machine.main);

        DrainedSection first = DrainedSection.begin(top, back);
        assertThat(other.isQuiesced()).isTrue();
        assertThat(otherBackend.isQuiesced()).isTrue();
        int before = back.quiesceCount();
        DrainedSection second = DrainedSection.begin(other, back);
        assertThat(back.quiesceCount()).isGreaterThan(before);
        assertThat(topDriver.drained()).isEqualTo(1);
        assertThat(otherDriver.drained()).isEqualTo(1);
        second.close();
        first.close();

        assertThat(List.of(top, other, back)).noneMatch(BlockNode::isQuiesced);
        assertThat(otherBackend.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-44")
    void drainT12ShouldTolerateComingAndGoingInsideASection() {
        HeldDriver newDriver = new HeldDriver("new");

        DrainedSection section = DrainedSection.begin(top, back);
        BlockNode fresh = machine.node("new", newDriver, back);
        BlockBackend second = machine.backend("disk2", fresh, machine.main);
        backend.close();
        machine.graph.remove(top);

        assertThat(fresh.quiesceCount()).isEqualTo(1);
        assertThat(newDriver.drained()).isEqualTo(1);
        assertThat(second.isQuiesced()).isTrue();
        assertThat(topDriver.drained()).isZero();
        assertThat(topDriver.closes).isEqualTo(1);
        section.close();
        assertThat(newDriver.drained()).isZero();
        assertThat(topDriver.drainEnds).isEqualTo(1);
        assertThat(second.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-12")
    void drainT13ShouldWaitForARequestThatHopsThroughAnotherContext() {
        HeldDriver hopping = new HeldDriver("hop") {
            @Override
            public void submit(BlockRequest request, NodeAccess node) {
                machine.b.execute(() -> request.complete(BlockStatus.OK, null));
            }
        };
        BlockNode node = machine.node("hop", hopping);
        BlockBackend disk = machine.backend("hopping", node, machine.a);
        Recorder recorder = new Recorder(machine.a);
        disk.port(machine.a).submit(Machine.read(recorder));

        DrainedSection section = machine.finish(DrainedSection.beginAsync(machine.main, node));

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(disk.gate().inFlight()).isZero();
        section.close();
        disk.setContext(machine.main);
        assertThat(node.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("DRAIN-43")
    @Rule("DRAIN-44")
    void drainT25ShouldTolerateParentsThatGoWhileItWaits() {
        HeldDriver sideDriver = new HeldDriver("side");
        BlockNode side = machine.node("side", sideDriver, back);
        backDriver.holding();
        backend.port(machine.main).submit(Machine.read(new Recorder()));
        machine.main.execute(() -> {
            machine.graph.remove(side);
            backend.replace(back);
            machine.graph.remove(top);
        });
        machine.main.execute(backDriver::release);

        DrainedSection section = DrainedSection.begin(back);

        assertThat(machine.graph.nodes()).containsExactly(back);
        assertThat(backend.isQuiesced()).isTrue();
        assertThat(back.quiesceCount()).isEqualTo(1);
        section.close();
        assertThat(backend.isQuiesced()).isFalse();
        assertThat(sideDriver.drained() + topDriver.drained()).isZero();
        assertThat(sideDriver.closes).isEqualTo(1);
    }

    @Test
    @Rule("DRAIN-11")
    @Rule("DRAIN-58")
    void shouldLetOtherParentsOfAChildGoOn() {
        BlockNode other = machine.node("other", new HeldDriver("other"), back);
        BlockBackend otherBackend = machine.backend("disk2", other, machine.main);
        Recorder recorder = new Recorder();

        DrainedSection section = DrainedSection.begin(top);
        otherBackend.port(machine.main).submit(Machine.read(recorder));
        machine.settle();

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        section.close();
    }

    @Test
    @Rule("DRAIN-64")
    @Rule("DRAIN-17")
    void shouldTellParentsBeforeTheDriverAndTheDriverBeforeParentsAtTheEnd() {
        List<String> log = topDriver.log;
        backend.addListener(logging(log));
        log.clear();

        DrainedSection.begin(top).close();

        assertThat(log).containsExactly(
                "drainedBegin", "top.drainBegin", "top.drainEnd", "drainedEnd");
    }

    @Test
    @Rule("DRAIN-10")
    @Rule("DRAIN-50")
    void shouldWaitForTheDriversBackgroundWork() {
        Background work = topDriver.access.beginBackgroundWork("test");
        machine.main.execute(work::close);

        assertThat(top.isBusy()).isTrue();
        assertThat(back.isBusy()).isTrue();
        DrainedSection.begin(back).close();

        assertThat(top.isBusy()).isFalse();
    }

    @Test
    @Rule("BUG-8")
    void shouldNotBeSettledBeforeARequestThatHasOnlyBeenSubmittedOrIsToBeReplayed() {
        BlockBackend backend =
                machine.backend("counted", machine.node("n", new HeldDriver("d")), machine.a);
        Recorder recorder = new Recorder(machine.a);

        backend.port(machine.a).submit(Machine.read(recorder));
        DrainedSection second = settledOnlyAfterA(backend, recorder, 1);
        backend.port(machine.a).submit(Machine.read(recorder));
        machine.settle();
        assertThat(backend.port(machine.a).parkedCount()).isEqualTo(1);
        second.close();
        settledOnlyAfterA(backend, recorder, 2).close();
    }

    /** Begins a section, which must not end its wait while the request's context gets no turn. */
    private DrainedSection settledOnlyAfterA(BlockBackend backend, Recorder recorder, int answers) {
        CompletionStage<DrainedSection> begun = DrainedSection.beginAsync(machine.main, backend);
        for (int i = 0; i < 10; i++) {
            machine.main.poll(0);
        }
        assertThat(begun.toCompletableFuture()).isNotDone();
        DrainedSection section = machine.finish(begun);
        assertThat(recorder.statuses).hasSize(answers).containsOnly(BlockStatus.OK);
        return section;
    }

    @Test
    @Rule("TH-79")
    @Rule("BB-39")
    @Rule("DRAIN-14")
    void shouldRefuseToDrainFromOnesOwnCompletion() {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Recorder recorder = new Recorder().then(() -> thrown.set(
                catchThrowable(() -> DrainedSection.begin(top))));
        backend.port(machine.main).submit(Machine.read(recorder));

        machine.settle();

        assertThat(thrown.get()).isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("disk");
        assertThat(top.isQuiesced()).isFalse();
        assertThat(backend.isQuiesced()).isFalse();
        assertThat(topDriver.drained()).isZero();
    }

    @Test
    @Rule("BB-39")
    void shouldMoveFromOnesOwnCompletionByTheAsynchronousForm() {
        AtomicReference<CompletionStage<Void>> moved = new AtomicReference<>();
        Recorder recorder =
                new Recorder().then(() -> moved.set(backend.setContextAsync(machine.a)));
        backend.port(machine.main).submit(Machine.read(recorder));

        machine.settle();

        assertThat(moved.get().toCompletableFuture()).isCompleted();
        assertThat(backend.context()).isSameAs(machine.a);
    }

    @Test
    @Rule("I4")
    void shouldNameTheContextThatNobodyPollsInsteadOfWaitingForIt() {
        topDriver.holding();
        backend.port(machine.a).submit(Machine.read(new Recorder()));

        assertThatThrownBy(() -> DrainedSection.begin(backend))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("disk")
                .hasMessageContaining("context a");

        assertThat(backend.isQuiesced()).isFalse();
        topDriver.release();
    }

    @Test
    void shouldRefuseAMoveWhoseWaitCannotEndAndLeaveEverythingAsItWas() {
        topDriver.holding();
        backend.port(machine.a).submit(Machine.read(new Recorder()));

        assertThatThrownBy(() -> backend.setContext(machine.b))
                .isInstanceOf(WaitCannotEndException.class);

        assertThat(backend.context()).isSameAs(machine.main);
        assertThat(top.context()).isSameAs(machine.main);
        assertThat(top.isQuiesced() || back.isQuiesced() || backend.isQuiesced()).isFalse();
        topDriver.release();
    }

    @Test
    void shouldBeControlOnly() {
        assertThatThrownBy(() -> onAnotherThread(() -> backend.quiesce()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("BlockBackend.quiesce")
                .hasMessageContaining("'main'")
                .hasMessageContaining("stranger");
        assertThatThrownBy(() -> onAnotherThread(() -> top.quiesce()))
                .hasMessageContaining("BlockNode.quiesce");
        assertThatThrownBy(() -> onAnotherThread(() -> backend.setContext(machine.a)))
                .hasMessageContaining("BlockBackend.setContext(disk, a)");
        assertThatThrownBy(() -> onAnotherThread(() -> backend.close()))
                .hasMessageContaining("BlockBackend.close");
        assertThatThrownBy(() -> onAnotherThread(() -> machine.graph.nodes()))
                .hasMessageContaining("BlockGraph.nodes");
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

    private DrainedSection settleTo(AtomicReference<CompletionStage<DrainedSection>> begun) {
        machine.settle();
        return machine.finish(begun.get());
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

    private static void onAnotherThread(Runnable body) throws InterruptedException {
        AtomicReference<RuntimeException> thrown = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                body.run();
            } catch (RuntimeException e) {
                thrown.set(e);
            }
        }, "stranger");
        thread.start();
        thread.join();
        if (thrown.get() != null) {
            throw thrown.get();
        }
    }
}
