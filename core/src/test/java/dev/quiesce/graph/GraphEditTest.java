package dev.quiesce.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.backend.BackendListener;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.HeldDriver;
import dev.quiesce.backend.Machine;
import dev.quiesce.backend.Recorder;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Edits of the graph under open sections and in flight: the family of test-bdrv-graph-mod. */
class GraphEditTest {
    private final List<String> log = new ArrayList<>();
    private Machine machine;
    private BlockGraph graph;
    private HeldDriver baseDriver;
    private BlockNode base;
    private BlockBackend backend;

    @BeforeEach
    void build() {
        machine = new Machine();
        graph = machine.graph;
        baseDriver = new HeldDriver("base", log);
        base = machine.node("base", baseDriver);
        backend = machine.backend("disk", base, machine.a);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("disk.begin");
            }

            @Override
            public void drainedEnd() {
                log.add("disk.end");
            }
        });
        log.clear();
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    @Rule("DRAIN-38")
    @Rule("DRAIN-40")
    @Rule("GR-31")
    @Rule("GR-40")
    @Rule("GR-42")
    void shouldInsertAFilterWithBalancedHooksAndWithoutAPulse() {
        graph.applyBlocking(graph.edit().insertFilter("filter", filter("filter"), base));

        BlockNode filter = graph.find("filter");
        assertThat(backend.root()).isSameAs(filter);
        assertThat(filter.children()).containsExactly(base);
        assertThat(filter.context()).isSameAs(machine.a);
        assertThat(filter.placement()).isSameAs(base.placement());
        assertThat(log).containsExactly("disk.begin", "base.drainBegin",
                "filter.opened", "filter.attach a", "filter.drainBegin",
                "base.drainEnd", "filter.drainEnd", "disk.end");
        assertThat(read()).isEqualTo(BlockStatus.OK);
        assertThat(((HeldDriver) filter.driver()).served).isEqualTo(1);
    }

    @Test
    @Rule("GR-41")
    @Rule("DRAIN-40")
    void shouldRemoveAFilterAndCloseItsDriverAfterTheSection() {
        graph.applyBlocking(graph.edit().insertFilter("filter", filter("filter"), base));
        BlockNode filter = graph.find("filter");
        log.clear();

        graph.applyBlocking(graph.edit().removeFilter(filter));

        assertThat(backend.root()).isSameAs(base);
        assertThat(graph.find("filter")).isNull();
        assertThat(log).containsExactly("disk.begin", "filter.drainBegin", "base.drainBegin",
                "filter.drainEnd", "filter.detach a", "base.drainEnd", "disk.end", "filter.close");
        assertThat(read()).isEqualTo(BlockStatus.OK);
        graph.applyBlocking(graph.edit().insertFilter("filter", filter("again"), base));
    }

    @Test
    @Rule("GR-51")
    @Rule("GR-52")
    void shouldTellEverybodyAboveOfACoarserAlignment() {
        BlockNode over = machine.node("over", new OverlayDriver(new OverlayConfig(1 << 20)), base);
        HeldDriver coarseDriver = new HeldDriver("coarse");
        coarseDriver.limits = BlockLimits.unlimited().withAlignment(4096, 1);
        BlockNode coarse = machine.node("coarse", coarseDriver);
        graph.setContext(coarse, machine.a);

        graph.applyBlocking(graph.edit().replace(base, coarse));

        assertThat(over.children()).containsExactly(coarse);
        assertThat(over.limits().requestAlignmentBytes()).isEqualTo(4096);
        assertThat(backend.limits().requestAlignmentBytes()).isEqualTo(4096);
    }

    @Test
    void shouldRefuseOneDriverInTwoStepsOfAnEdit() {
        BlockNode other = machine.node("other", new HeldDriver("other"));
        PassthroughDriver twice = new PassthroughDriver();
        GraphEdit edit = graph.edit()
                .insertFilter("one", twice, base)
                .insertFilter("two", twice, other);

        assertThatThrownBy(() -> graph.applyBlocking(edit))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'two'");

        assertThat(graph.nodes()).containsExactly(base, other);
        assertThat(backend.root()).isSameAs(base);
    }

    @Test
    void shouldStackFiltersOfOneEditInItsOrder() {
        graph.applyBlocking(graph.edit()
                .insertFilter("inner", new PassthroughDriver(), base)
                .insertFilter("outer", new PassthroughDriver(), base));

        assertThat(backend.root()).isSameAs(graph.find("inner"));
        assertThat(graph.find("inner").children()).containsExactly(graph.find("outer"));
        assertThat(graph.find("outer").children()).containsExactly(base);
        assertThat(read()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("GR-39")
    void gmodT02ShouldNotCloseALoopWhenAFilterReachesAnotherUser() {
        BlockNode t = machine.node("t", filter("t"), base);
        BlockNode f = machine.node("f", filter("f"), base, t);

        graph.applyBlocking(graph.edit().replace(base, f));

        assertThat(backend.root()).isSameAs(f);
        assertThat(t.children()).containsExactly(base);
        assertThat(f.children()).containsExactly(base, t);
        assertThat(read()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("GR-39")
    void gmodT03ShouldReplaceOneFilterByAnotherAboveTheSameBase() {
        BlockNode f1 = machine.node("f1", filter("f1"), base);
        BlockNode f2 = machine.node("f2", filter("f2"), base);
        backend.replace(f1);

        graph.applyBlocking(graph.edit().replace(f1, f2));

        assertThat(backend.root()).isSameAs(f2);
        graph.remove(f1);
        assertThat(read()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("DRAIN-1")
    @Rule("GR-31")
    void drainT27ShouldQuiesceAnOverlayThatIsAttachedInsideASection() {
        DrainedSection section = DrainedSection.begin(base);
        graph.applyBlocking(graph.edit().insertFilter("overlay", filter("overlay"), base));
        BlockNode overlay = graph.find("overlay");

        assertThat(base.quiesceCount()).isEqualTo(1);
        assertThat(overlay.quiesceCount()).isEqualTo(1);
        assertThat(backend.isQuiesced()).isTrue();
        section.close();
        assertThat(base.quiesceCount()).isZero();
        assertThat(overlay.quiesceCount()).isZero();
        assertThat(backend.isQuiesced()).isFalse();
        HeldDriver driver = (HeldDriver) overlay.driver();
        assertThat(driver.drainBegins).isEqualTo(1);
        assertThat(driver.drainEnds).isEqualTo(1);
        assertThat(log).containsOnlyOnce("disk.begin").containsOnlyOnce("disk.end");
    }

    @Test
    @Rule("DRAIN-42")
    @Rule("DRAIN-19")
    @Rule("BUG-70")
    @Rule("GR-34")
    void shouldReplaceInAllCombinationsOfOldAndNewDrained() {
        for (int combination = 0; combination < 4; combination++) {
            boolean oldDrained = (combination & 1) != 0;
            boolean newDrained = (combination & 2) != 0;
            BlockNode old = backend.root();
            BlockNode next = machine.node("n" + combination, filter("n" + combination));
            DrainedSection onOld = oldDrained ? DrainedSection.begin(old) : null;
            DrainedSection onNew = newDrained ? DrainedSection.begin(next) : null;
            log.clear();

            backend.replace(next);

            assertThat(backend.isQuiesced()).isEqualTo(newDrained);
            List<String> disk = log.stream().filter(s -> s.startsWith("disk")).toList();
            if (oldDrained && newDrained) {
                assertThat(disk).isEmpty();
            } else if (oldDrained) {
                assertThat(disk).containsExactly("disk.end");
            } else if (newDrained) {
                assertThat(disk).containsExactly("disk.begin");
            } else {
                assertThat(disk).containsExactly("disk.begin", "disk.end");
            }
            if (onOld != null) {
                onOld.close();
            }
            if (onNew != null) {
                onNew.close();
            }
            assertThat(backend.isQuiesced()).isFalse();
            assertThat(old.isQuiesced() || next.isQuiesced()).isFalse();
        }
    }

    @Test
    @Rule("DRAIN-12")
    void shouldWaitForWhatIsInFlightAndRunWhatIsParkedThroughTheFilter() {
        Recorder recorder = new Recorder(machine.a);
        baseDriver.holding();
        backend.port(machine.a).submit(Machine.read(recorder));
        PassthroughDriver driver = new PassthroughDriver();

        CompletionStage<Void> applied =
                graph.apply(graph.edit().insertFilter("filter", driver, base));
        machine.settle();
        backend.port(machine.a).submit(Machine.read(recorder));
        assertThat(applied.toCompletableFuture()).isNotDone();
        baseDriver.release();
        machine.finish(applied);

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK, BlockStatus.OK);
        assertThat(driver.requests()).isEqualTo(1);
    }

    @Test
    void shouldMakeTwoAsynchronousEditsOneAfterTheOther() {
        CompletionStage<Void> first =
                graph.apply(graph.edit().insertFilter("f1", new PassthroughDriver(), base));
        CompletionStage<Void> second =
                graph.apply(graph.edit().insertFilter("f2", new PassthroughDriver(), base));
        CompletionStage<Void> moved = backend.setContextAsync(machine.b);
        machine.finish(first);
        machine.finish(second);
        machine.finish(moved);

        assertThat(backend.root()).isSameAs(graph.find("f1"));
        assertThat(graph.find("f1").children()).containsExactly(graph.find("f2"));
        assertThat(graph.nodes()).allMatch(node -> node.context() == machine.b);
    }

    @Test
    @Rule("BUG-88")
    void shouldRefuseAnAsynchronousEditWhoseNodeIsGoneByItsTurn() {
        graph.applyBlocking(graph.edit().insertFilter("f", filter("f"), base));
        BlockNode filter = graph.find("f");

        CompletionStage<Void> first = graph.apply(graph.edit().removeFilter(filter));
        CompletionStage<Void> second = graph.apply(graph.edit().removeFilter(filter));
        CompletionStage<Void> third = backend.setContextAsync(machine.b);
        machine.settle();

        machine.finish(first);
        assertThat(second.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(() -> second.toCompletableFuture().join())
                .hasRootCauseInstanceOf(BlockLayerException.class)
                .hasMessageContaining("'f'");
        machine.finish(third);
        assertThat(base.context()).isSameAs(machine.b);
    }

    @Test
    void shouldLeaveTheGraphAsItWasIfADriverRefusesToOpen() {
        HeldDriver good = filter("good");
        HeldDriver bad = filter("bad");
        bad.refusesToOpen = true;

        assertThatThrownBy(() -> graph.applyBlocking(graph.edit()
                .insertFilter("good", good, base)
                .insertFilter("bad", bad, base)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bad does not open");

        assertThat(graph.nodes()).containsExactly(base);
        assertThat(backend.root()).isSameAs(base);
        assertThat(base.isQuiesced() || backend.isQuiesced()).isFalse();
        assertThat(good.drainBegins).isZero();
        assertThat(good.closes + bad.closes).isZero();
        assertThat(read()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldRefuseContradictoryEditsBeforeAnythingIsDrained() {
        graph.applyBlocking(graph.edit().insertFilter("f", filter("f"), base));
        BlockNode filter = graph.find("f");
        log.clear();

        assertThatThrownBy(() -> graph.applyBlocking(
                graph.edit().removeFilter(filter).insertFilter("g", filter("g"), filter)))
                .isInstanceOf(BlockLayerException.class).hasMessageContaining("earlier step");
        assertThatThrownBy(() -> graph.applyBlocking(graph.edit().removeFilter(base)))
                .isInstanceOf(BlockLayerException.class).hasMessageContaining("no filter");
        assertThatThrownBy(() -> graph.applyBlocking(graph.edit()
                .insertFilter("x", filter("x"), base).insertFilter("x", filter("y"), base)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'x'");
        assertThatThrownBy(() -> graph.applyBlocking(
                graph.edit().insertFilter("h", filter.driver(), base)))
                .hasMessageContaining("in use by node 'f'");

        assertThat(log).isEmpty();
    }

    @Test
    void shouldApplyAnEditOnce() {
        GraphEdit edit = graph.edit().insertFilter("f", filter("f"), base);
        graph.applyBlocking(edit);

        assertThatThrownBy(() -> graph.applyBlocking(edit)).hasMessageContaining("before");
        assertThatThrownBy(() -> edit.removeFilter(base)).hasMessageContaining("before");
        assertThatThrownBy(() -> new BlockGraph(machine.main).apply(graph.edit()))
                .hasMessageContaining("another graph");
    }

    @Test
    @Rule("GR-32")
    @Rule("GR-43")
    void shouldAlignTheReplacementOfANode() {
        BlockNode next = machine.node("next", filter("next"));

        graph.applyBlocking(graph.edit().replace(base, next));

        assertThat(backend.root()).isSameAs(next);
        assertThat(next.context()).isSameAs(machine.a);
        assertThat(base.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("GR-32")
    void shouldRefuseToConnectWhatCannotMeet() {
        BlockNode pinned = machine.node("pinned", filter("pinned"));
        machine.backend("disk2", pinned, machine.b);

        assertThatThrownBy(() -> machine.node("both", filter("both"), base, pinned))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContaining("disk2");

        assertThat(base.context()).isSameAs(machine.a);
        assertThat(pinned.context()).isSameAs(machine.b);
        assertThat(graph.find("both")).isNull();
    }

    @Test
    @Rule("GR-32")
    void shouldBringTheChildThatMayMoveToTheOneThatMayNot() {
        BlockNode free = machine.node("free", filter("free"));

        BlockNode both = machine.node("both", filter("both"), free, base);

        assertThat(List.of(free.context(), both.context(), base.context()))
                .containsOnly(machine.a);
    }

    @Test
    @Rule("DRAIN-43")
    @Rule("DRAIN-63")
    @Rule("BUG-63")
    void shouldBalanceANodeAddedAndRemovedInsideASection() {
        HeldDriver driver = filter("above");

        DrainedSection section = DrainedSection.begin(base);
        BlockNode above = machine.node("above", driver, base);
        assertThat(above.quiesceCount()).isEqualTo(1);
        DrainedSection inner = DrainedSection.begin(above);
        graph.remove(above);
        inner.close();
        section.close();

        assertThat(driver.drainBegins).isEqualTo(1);
        assertThat(driver.drainEnds).isEqualTo(1);
        assertThat(driver.closes).isEqualTo(1);
        assertThat(base.isQuiesced()).isFalse();
    }

    @Test
    void shouldSplitTheHolderWhenAnEdgeGoes() {
        BlockNode other = machine.node("other", new NullDriver(4096));
        BlockNode above = machine.node("above", filter("above"), base, other);
        assertThat(other.placement()).isSameAs(base.placement());

        graph.remove(above);
        backend.setContext(machine.b);

        assertThat(base.context()).isSameAs(machine.b);
        assertThat(other.context()).isSameAs(machine.main);
    }

    @Test
    void shouldTellTheBackendWhenItsLengthChanges() {
        backend.addListener(new BackendListener() {
            @Override
            public void resized() {
                log.add("resized " + backend.lengthBytes());
            }
        });
        BlockNode small = machine.node("small", new NullDriver(1024));

        graph.applyBlocking(graph.edit().replace(base, small));

        assertThat(log).contains("resized 1024");
    }

    private HeldDriver filter(String name) {
        return new HeldDriver(name, log);
    }

    private BlockStatus read() {
        Recorder recorder = new Recorder(machine.a);
        backend.port(machine.a).submit(Machine.read(recorder));
        machine.settle();
        return recorder.statuses.get(0);
    }
}
