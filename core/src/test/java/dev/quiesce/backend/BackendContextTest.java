package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Hold;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Moves between contexts: the family of test-block-iothread. */
class BackendContextTest {
    private final List<String> log = new ArrayList<>();
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
    @Rule("BB-47")
    @Rule("CTX-1")
    void shouldMoveTheWholeComponentAndTheBackend() {
        BlockNode leaf = node("leaf");
        BlockNode top = node("top", leaf);
        BlockBackend backend = machine.backend("disk", top, machine.main);

        backend.setContext(machine.a);

        assertThat(List.of(backend.context(), top.context(), leaf.context()))
                .containsOnly(machine.a);
        assertThat(backend.stats().contextChanges()).isEqualTo(1);
        assertThat(top.placement()).isSameAs(leaf.placement());
    }

    @Test
    @Rule("GR-32")
    void biotT13ShouldLetANewParentAdoptItsChildsContext() {
        BlockNode base = node("base");
        BlockBackend backend = machine.backend("disk", base, machine.a);

        BlockNode filter = node("filter", base);

        assertThat(List.of(backend.context(), base.context(), filter.context()))
                .containsOnly(machine.a);
        backend.setContext(machine.main);
        assertThat(List.of(backend.context(), base.context(), filter.context()))
                .containsOnly(machine.main);
    }

    @Test
    @Rule("CTX-4")
    void biotT14ShouldReachNodesDownUpAndDown() {
        BlockNode first = node("a");
        BlockNode second = node("b");
        BlockBackend backend = machine.backend("disk", first, machine.main);
        BlockNode verify = node("verify", first, second);

        backend.setContext(machine.a);
        assertThat(List.of(first.context(), second.context(), verify.context()))
                .containsOnly(machine.a);
        backend.setContext(machine.main);

        assertThat(List.of(first.context(), second.context(), verify.context()))
                .containsOnly(machine.main);
    }

    @Test
    @Rule("CTX-9")
    @Rule("BB-48")
    void biotT15ShouldMoveNothingIfAnyoneRefusesAndNameHim() {
        BlockNode base = node("base");
        BlockNode left = node("left", base);
        BlockNode right = node("right", base);
        BlockBackend mover = machine.backend("mover", left, machine.main);
        BlockBackend stubborn = machine.backend("stubborn", right, machine.main);
        log.clear();

        assertThatThrownBy(() -> mover.setContext(machine.a))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContaining("'a'")
                .hasMessageContaining("stubborn");

        assertThat(List.of(mover.context(), stubborn.context(), base.context(), left.context()))
                .containsOnly(machine.main);
        assertThat(log).isEmpty();
        assertThat(base.isQuiesced()).isFalse();
    }

    @Test
    @Rule("TH-66")
    @Rule("BB-48")
    void shouldMoveWillingNeighboursAlong() {
        BlockNode base = node("base");
        BlockBackend mover = machine.backend("mover", node("left", base), machine.main);
        BlockBackend willing =
                machine.movableBackend("willing", node("right", base), machine.main);

        mover.setContext(machine.a);

        assertThat(willing.context()).isSameAs(machine.a);
        machine.graph.setContext(base, machine.a);
        assertThatThrownBy(() -> machine.graph.setContext(base, machine.b))
                .hasMessageContaining("mover");
        assertThat(willing.context()).isSameAs(machine.a);
    }

    @Test
    @Rule("CTX-6")
    @Rule("CTX-11")
    @Rule("BUG-6")
    @Rule("CTX-5")
    void shouldVisitEachNodeOfADiamondOnceInTwoPasses() {
        BlockNode leaf = node("leaf");
        BlockNode left = node("left", leaf);
        BlockNode right = node("right", leaf);
        BlockNode top = node("top", left, right, leaf);
        BlockBackend backend = machine.backend("disk", top, machine.main);
        backend.addListener(new BackendListener() {
            @Override
            public void contextChanged(AioContext now) {
                log.add("changed " + now.name() + " " + backend.context().name());
            }
        });
        log.clear();

        backend.setContext(machine.a);

        List<String> hooks = log.stream().filter(s -> !s.contains("drain")).toList();
        assertThat(hooks).hasSize(9).doesNotHaveDuplicates();
        assertThat(hooks.subList(0, 4)).allMatch(s -> s.contains("detach main"));
        assertThat(hooks.get(0)).startsWith("top");
        assertThat(hooks.get(3)).startsWith("leaf");
        assertThat(hooks.subList(4, 8)).allMatch(s -> s.contains("attach a"));
        assertThat(hooks.get(4)).startsWith("leaf");
        assertThat(hooks.get(7)).startsWith("top");
        assertThat(hooks.get(8)).isEqualTo("changed a a");
        assertThat(log.stream().filter(s -> s.endsWith("drainBegin"))).hasSize(4);
    }

    @Test
    @Rule("CTX-3")
    void shouldLeaveOtherDisksAlone() {
        BlockBackend moved = machine.backend("moved", node("n1"), machine.main);
        BlockBackend other = machine.backend("other", node("n2"), machine.main);
        other.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("other drained");
            }
        });

        moved.setContext(machine.a);

        assertThat(log).doesNotContain("other drained");
        assertThat(other.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("BB-47")
    @Rule("BB-50")
    void shouldSucceedWithoutASectionIfEverybodyIsThere() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.main);
        log.clear();

        backend.setContext(machine.main);

        assertThat(log).isEmpty();
        assertThat(backend.stats().contextChanges()).isZero();
    }

    @Test
    @Rule("BB-50")
    void shouldTellNobodyOfAContextWhenOnlyTheRootChanges() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        List<AioContext> heard = new ArrayList<>();
        backend.addListener(new BackendListener() {
            @Override
            public void contextChanged(AioContext now) {
                heard.add(now);
            }
        });

        backend.replace(node("other"));
        backend.removeRoot();
        backend.insert(node("third"));
        assertThat(heard).isEmpty();
        backend.setContext(machine.b);

        assertThat(heard).containsExactly(machine.b);
        assertThat(backend.stats().contextChanges()).isEqualTo(1);
    }

    @Test
    @Rule("BB-47")
    @Rule("DRAIN-39")
    void shouldDrainAnEmptyBackendToMoveIt() {
        BlockBackend backend = machine.backend("empty", null, machine.main);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("begin");
            }

            @Override
            public void contextChanged(AioContext now) {
                log.add("changed " + now.name());
            }

            @Override
            public void drainedEnd() {
                log.add("end");
            }
        });
        backend.port(machine.main).submit(Machine.flush(new Recorder()));

        backend.setContext(machine.a);

        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(log).containsExactly("begin", "changed a", "end");
    }

    @Test
    @Rule("CTX-16")
    @Rule("BUG-2")
    @Rule("BB-49")
    void shouldShowTheNewStateToWhoeverHearsOfTheEnd() {
        BlockNode root = node("n");
        BlockBackend backend = machine.backend("disk", root, machine.main);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedEnd() {
                log.add(backend.context().name() + " " + root.context().name());
            }
        });
        log.clear();

        backend.setContext(machine.a);

        assertThat(log).contains("a a");
    }

    @Test
    @Rule("CTX-14")
    @Rule("CTX-15")
    void shouldLeaveParkedRequestsInTheContextTheyCameFrom() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.main);
        Recorder inA = new Recorder(machine.a);
        Recorder inB = new Recorder(machine.b);

        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.a).submit(Machine.read(inA));
        backend.port(machine.b).submit(Machine.read(inB));
        backend.setContext(machine.b);
        section.close();
        machine.settle();

        assertThat(inA.statuses).containsExactly(BlockStatus.OK);
        assertThat(inB.statuses).containsExactly(BlockStatus.OK);
        assertThat(backend.context()).isSameAs(machine.b);
    }

    @Test
    @Rule("CTX-14")
    void shouldWaitForRequestsOfSeveralContextsBeforeItMoves() {
        HeldDriver driver = new HeldDriver("d", log).holding();
        BlockBackend backend =
                machine.backend("disk", machine.node("n", driver), machine.main);
        Recorder inA = new Recorder(machine.a);
        Recorder inB = new Recorder(machine.b);
        backend.port(machine.a).submit(Machine.read(inA));
        backend.port(machine.b).submit(Machine.read(inB));

        CompletionStage<Void> moved = backend.setContextAsync(machine.a);
        machine.settle();

        assertThat(moved.toCompletableFuture()).isNotDone();
        assertThat(backend.context()).isSameAs(machine.main);
        driver.release();
        machine.finish(moved);
        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(inA.statuses).containsExactly(BlockStatus.OK);
        assertThat(inB.statuses).containsExactly(BlockStatus.OK);
    }

    @Test
    @Rule("DRAIN-8")
    void shouldWaitForEarlierHoldsEvenIfTheNodeIsQuiescedAlready() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.main);
        DrainedSection section = DrainedSection.begin(backend);
        Hold hold = backend.gate().hold("walk", machine.a);

        CompletionStage<Void> moved = backend.setContextAsync(machine.a);
        machine.settle();

        assertThat(moved.toCompletableFuture()).isNotDone();
        hold.close();
        machine.finish(moved);
        assertThat(backend.context()).isSameAs(machine.a);
        section.close();
    }

    @Test
    @Rule("AIO-45")
    @Rule("SPT-T15")
    void sptT15ShouldMakeTwoAsynchronousMovesInTheOrderOfTheRequests() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.main);
        log.clear();

        CompletionStage<Void> first = backend.setContextAsync(machine.a);
        CompletionStage<Void> second = backend.setContextAsync(machine.b);
        machine.finish(first);
        machine.finish(second);

        assertThat(backend.context()).isSameAs(machine.b);
        assertThat(log.stream().filter(s -> s.contains("tach"))).containsExactly(
                "n.detach main", "n.attach a", "n.detach a", "n.attach b");
    }

    @Test
    void shouldLetABlockingMoveOvertakeAnAsynchronousOneThatWaits() {
        HeldDriver driver = new HeldDriver("d", log).holding();
        BlockBackend busy = machine.backend("busy", machine.node("n", driver), machine.main);
        BlockBackend idle = machine.backend("idle", node("m"), machine.main);
        busy.port(machine.a).submit(Machine.read(new Recorder()));

        CompletionStage<Void> moved = busy.setContextAsync(machine.b);
        machine.settle();
        idle.setContext(machine.b);

        assertThat(idle.context()).isSameAs(machine.b);
        driver.release();
        machine.finish(moved);
        assertThat(busy.context()).isSameAs(machine.b);
    }

    @Test
    @Rule("CTX-7")
    void shouldReportARefusalOfTheAsynchronousFormAndGoOnWithTheNext() {
        BlockNode base = node("base");
        BlockBackend mover = machine.backend("mover", node("left", base), machine.main);
        BlockBackend stubborn = machine.backend("stubborn", node("right", base), machine.main);

        CompletionStage<Void> refused = mover.setContextAsync(machine.a);
        CompletionStage<Void> emptied = stubborn.removeRootAsync();
        CompletionStage<Void> moved = mover.setContextAsync(machine.a);
        machine.settle();

        assertThat(refused.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(() -> refused.toCompletableFuture().join())
                .hasRootCauseInstanceOf(BlockLayerException.class)
                .hasMessageContaining("stubborn");
        machine.finish(emptied);
        machine.finish(moved);
        assertThat(base.context()).isSameAs(machine.a);
        assertThat(stubborn.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("CTX-4")
    void shouldPlanAgainWhenTheComponentGrewDuringTheWait() {
        HeldDriver driver = new HeldDriver("d", log).holding();
        BlockNode base = machine.node("base", driver);
        BlockBackend mover = machine.backend("mover", base, machine.main);
        mover.port(machine.a).submit(Machine.read(new Recorder()));

        CompletionStage<Void> moved = mover.setContextAsync(machine.a);
        machine.settle();
        BlockNode side = node("side");
        BlockNode above = node("above", base, side);
        driver.release();
        machine.finish(moved);

        assertThat(List.of(base.context(), above.context(), side.context(), mover.context()))
                .containsOnly(machine.a);
        assertThat(List.of(base, above, side)).noneMatch(BlockNode::isQuiesced);
        assertThat(log).contains("above.drainBegin", "side.attach a", "above.attach a");
    }

    @Test
    @Rule("CTX-4")
    void shouldRefuseWhenSomebodyUnwillingCameDuringTheWait() {
        HeldDriver driver = new HeldDriver("d", log).holding();
        BlockNode base = machine.node("base", driver);
        BlockBackend mover = machine.backend("mover", base, machine.main);
        mover.port(machine.a).submit(Machine.read(new Recorder()));

        CompletionStage<Void> moved = mover.setContextAsync(machine.a);
        machine.settle();
        BlockBackend late = machine.backend("late", node("above", base), machine.main);
        driver.release();
        machine.settle();

        assertThat(moved.toCompletableFuture()).isCompletedExceptionally();
        assertThat(List.of(base.context(), mover.context(), late.context()))
                .containsOnly(machine.main);
        assertThat(base.isQuiesced()).isFalse();
        assertThat(late.isQuiesced()).isFalse();
    }

    @Test
    @Rule("BB-12")
    @Rule("CTX-8")
    @Rule("BUG-53")
    void shouldAlignContextsOnInsertion() {
        BlockNode free = node("free");
        BlockBackend inA = machine.backend("inA", free, machine.a);
        assertThat(free.context()).isSameAs(machine.a);

        BlockBackend willing = machine.movableBackend("willing", free, machine.b);
        assertThat(willing.context()).isSameAs(machine.a);
        assertThatThrownBy(() -> machine.backend("unwilling", free, machine.b))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContaining("inA");

        assertThat(inA.context()).isSameAs(machine.a);
        assertThat(free.context()).isSameAs(machine.a);
        machine.backend("unwilling", null, machine.b);
    }

    @Test
    @Rule("CTX-17")
    @Rule("BB-14")
    @Rule("BUG-81")
    @Rule("GR-38")
    void shouldSendTheNodesHomeWhenTheirLastUserLeaves() {
        BlockNode base = node("base");
        BlockBackend backend = machine.backend("disk", base, machine.a);

        backend.removeRoot();

        assertThat(base.context()).isSameAs(machine.main);
        assertThat(backend.context()).isSameAs(machine.a);
    }

    @Test
    @Rule("CTX-17")
    void shouldStaySilentlyIfAnotherUserStays() {
        BlockNode base = node("base");
        machine.backend("stays", base, machine.a);
        BlockBackend leaves = machine.backend("leaves", base, machine.a);

        leaves.removeRoot();

        assertThat(base.context()).isSameAs(machine.a);
    }

    @Test
    @Rule("BB-15")
    void shouldAlignAReplacementAndKeepTheOldNodeWhereItMayBe() {
        BlockNode old = node("old");
        BlockNode next = node("next");
        BlockBackend backend = machine.backend("disk", old, machine.a);

        backend.replace(next);

        assertThat(backend.root()).isSameAs(next);
        assertThat(next.context()).isSameAs(machine.a);
        assertThat(old.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("BB-45")
    void shouldPinOnlyAnOpenBackendWithARoot() {
        BlockBackend backend = machine.backend("disk", node("n"), machine.a);
        BlockBackend empty = machine.backend("empty", null, machine.a);

        Pin pin = backend.pin();
        assertThat(pin.context()).isSameAs(machine.a);
        CompletionStage<Void> moved = backend.setContextAsync(machine.b);
        machine.settle();
        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(backend.pin()).isNull();
        pin.close();
        machine.finish(moved);

        assertThat(backend.context()).isSameAs(machine.b);
        assertThat(empty.pin()).isNull();
        assertThat(empty.isBusy()).isFalse();
        assertThat(backend.isBusy()).isFalse();
        assertThatThrownBy(pin::close).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @Rule("BB-45")
    @Rule("DRAIN-13")
    void shouldGiveUpWaitingForAPinOfAContextThatNobodyPolls() {
        AioContext deserted = new AioContext("deserted", machine.seams);
        BlockBackend backend = machine.backend("disk", node("n"), deserted);
        Pin pin = backend.pin();

        assertThatThrownBy(() -> DrainedSection.begin(backend))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("pin of the context")
                .hasMessageContaining("deserted, owned by nobody");

        assertThat(backend.isQuiesced()).isFalse();
        pin.close();
    }

    @Test
    @Rule("BB-45")
    @Rule("DRAIN-13")
    void shouldTellAnAsynchronousSectionThatAPinnedContextHasEnded() {
        AioContext ended = new AioContext("ended", machine.seams);
        Lease lease = ended.acquire();
        BlockBackend backend = machine.backend("disk", node("n"), ended);
        Pin pin = backend.pin();
        CompletionStage<DrainedSection> section = DrainedSection.beginAsync(machine.main, backend);
        machine.settle();
        assertThat(section.toCompletableFuture()).isNotDone();

        ended.close();
        lease.close();
        machine.settle();

        assertThat(section.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(section.toCompletableFuture()::join)
                .hasCauseInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("pin of the context");
        assertThat(backend.isQuiesced()).isFalse();
        pin.close();
    }

    @Test
    @Rule("TH-83")
    @Rule("CTX-20")
    @Rule("BB-44")
    @Rule("CTX-12")
    @Rule("WALK-14")
    @Rule("BUG-1")
    @Rule("I6")
    void shouldAnswerWithAnOldOrANewContextFromInsideTheChange() {
        List<AioContext> seen = new ArrayList<>();
        BlockNode[] root = new BlockNode[1];
        BlockBackend[] user = new BlockBackend[1];
        HeldDriver driver = new HeldDriver("d", log) {
            @Override
            public void detachContext() {
                super.detachContext();
                seen.add(root[0].context());
                seen.add(user[0].context());
            }

            @Override
            public void attachContext(AioContext to) {
                super.attachContext(to);
                if (user[0] != null) {
                    seen.add(root[0].context());
                    seen.add(user[0].context());
                }
            }
        };
        root[0] = machine.node("n", driver);
        user[0] = machine.backend("disk", root[0], machine.main);

        user[0].setContext(machine.a);

        assertThat(seen).containsExactly(machine.main, machine.main, machine.a, machine.main);
    }

    private BlockNode node(String name, BlockNode... children) {
        return machine.node(name, new HeldDriver(name, log), children);
    }
}
