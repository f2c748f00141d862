package dev.quiesce.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.HeldDriver;
import dev.quiesce.backend.Machine;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BlockGraphTest {
    private Machine machine;
    private BlockGraph graph;

    @BeforeEach
    void build() {
        machine = new Machine();
        graph = machine.graph;
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway") // the point of the test
    void shouldRefuseToBeWithoutAMainContext() {
        assertThatThrownBy(() -> new BlockGraph(null))
                .isInstanceOf(NullPointerException.class).hasMessageContaining("main");
    }

    @Test
    @Rule("GR-6")
    @Rule("BB-6")
    void shouldKeepOneNameSpaceOfWellFormedNames() {
        machine.node("disk-0.raw_1", new NullDriver(512));
        machine.backend("drive", null, machine.main);

        for (String bad : List.of("", "0disk", "a b", "x".repeat(32), "disk/0")) {
            assertThatThrownBy(() -> graph.add(bad, new NullDriver(512)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + bad + "'");
        }
        assertThatThrownBy(() -> graph.add("disk-0.raw_1", new NullDriver(512)))
                .hasMessageContaining("taken");
        assertThatThrownBy(() -> graph.add("drive", new NullDriver(512)))
                .hasMessageContaining("taken");
        assertThatThrownBy(() -> machine.backend("disk-0.raw_1", null, machine.main))
                .hasMessageContaining("taken");
        graph.add("x".repeat(31), new NullDriver(512));
        machine.backend("", null, machine.main);
        machine.backend("", null, machine.main);
    }

    @Test
    @Rule("CTX-6")
    void shouldDrainTheLeavesOfAComponentInAnOrderThatCanBeRepeated() {
        BlockNode[] leaves = new BlockNode[12];
        for (int i = 0; i < leaves.length; i++) {
            leaves[i] = machine.node("leaf" + i, new NullDriver(512));
        }
        BlockNode top = machine.node("top", new HeldDriver("top"), leaves);

        Collection<Drainable> drained = graph.planMove(top, machine.a, null).drained();

        assertThat(drained).extracting(Drainable::name)
                .isEqualTo(Arrays.stream(leaves).map(BlockNode::name).toList());
    }

    @Test
    @Rule("GR-2")
    void shouldStartNodesInMainAndListThemInOrder() {
        BlockNode first = machine.node("first", new NullDriver(512));
        BlockNode second = machine.node("second", new NullDriver(512));

        assertThat(graph.nodes()).containsExactly(first, second);
        assertThat(first.context()).isSameAs(machine.main);
        assertThat(graph.find("second")).isSameAs(second);
        assertThat(graph.find("third")).isNull();
    }

    @Test
    @Rule("GR-10")
    @Rule("REQ-56")
    void shouldOpenAttachDetachAndCloseADriverOnce() {
        List<String> log = new ArrayList<>();
        BlockNode node = graph.add("n", new HeldDriver("n", log));

        graph.remove(node);

        assertThat(log).containsExactly("n.opened", "n.attach main",
                "n.drainBegin", "n.drainEnd", "n.detach main", "n.close");
        assertThatThrownBy(() -> graph.remove(node)).isInstanceOf(BlockLayerException.class);
    }

    @Test
    void shouldRefuseToRemoveWhatIsUsed() {
        BlockNode base = machine.node("base", new NullDriver(512));
        machine.node("above", new HeldDriver("above"), base);
        machine.backend("disk", base, machine.main);

        assertThatThrownBy(() -> graph.remove(base))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContaining("above")
                .hasMessageContaining("disk");
        assertThat(base.isQuiesced()).isFalse();
    }

    @Test
    void shouldAddAndRemoveAsynchronouslyFromAnyThread() {
        BlockNode node = machine.finish(graph.addAsync("n", new NullDriver(512)));
        assertThat(graph.find("n")).isSameAs(node);

        machine.finish(graph.removeAsync(node));
        machine.finish(graph.setContextAsync(
                machine.finish(graph.addAsync("m", new NullDriver(512))), machine.b));

        assertThat(graph.find("n")).isNull();
        assertThat(graph.find("m").context()).isSameAs(machine.b);
    }

    @Test
    @Rule("CTX-19")
    void shouldGrowTheGenerationWithEveryMove() {
        BlockNode node = machine.node("n", new NullDriver(512));
        Placement before = node.placement();

        graph.setContext(node, machine.a);
        Placement moved = node.placement();
        graph.setContext(node, machine.a);

        assertThat(moved.context()).isSameAs(machine.a);
        assertThat(moved.generation()).isGreaterThan(before.generation());
        assertThat(node.placement()).isSameAs(moved);
    }

    @Test
    void shouldCloseUsersBeforeWhatTheyUse() {
        List<String> log = new ArrayList<>();
        BlockNode base = machine.node("base", new HeldDriver("base", log));
        machine.node("top", new HeldDriver("top", log), base);
        BlockBackend backend = machine.backend("disk", base, machine.main);

        assertThatThrownBy(graph::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("still in use", "disk", "context main", name(), "GR-10");
        backend.close();
        graph.close();
        graph.close();

        assertThat(log.stream().filter(s -> s.endsWith("close")))
                .containsExactly("top.close", "base.close");
        assertThatThrownBy(() -> graph.add("late", new NullDriver(512)))
                .hasMessageContainingAll("closed", "context main", name(), "GR-10");
    }

    private static String name() {
        return "thread " + Thread.currentThread().getName();
    }

    @Test
    void shouldReportADriverThatThrowsInAHookAndStayBalanced() {
        HeldDriver driver = new HeldDriver("n") {
            @Override
            public void drainBegin() {
                super.drainBegin();
                throw new IllegalStateException("no rest");
            }
        };
        BlockNode node = machine.node("n", driver);

        DrainedSection.begin(node).close();

        assertThat(machine.errors).hasSize(1);
        assertThat(machine.errors.get(0)).contains("drainBegin", "'n'", "no rest");
        machine.errors.clear();
        assertThat(node.isQuiesced()).isFalse();
        assertThat(driver.drained()).isZero();
    }

    @Test
    void shouldGiveUpOnAChangeThatNamesSomethingNewForEver() {
        List<BlockNode> named = new ArrayList<>();
        GraphChange greedy = new GraphChange() {
            @Override
            public String describe() {
                return "greedy";
            }

            @Override
            public Collection<? extends Drainable> plan() {
                return List.copyOf(named);
            }

            @Override
            public void commit(GraphCommit commit) {
                throw new AssertionError("committed");
            }
        };
        for (int i = 0; i < 20; i++) {
            BlockNode node = machine.node("n" + i, new HeldDriver("n" + i) {
                @Override
                public void drainBegin() {
                    super.drainBegin();
                    named.add(graph.find("n" + named.size()));
                }
            });
            if (i == 0) {
                named.add(node);
            }
        }

        assertThatThrownBy(() -> graph.runBlocking(greedy))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContaining("greedy")
                .hasMessageContaining("8 rounds");
        assertThat(named).hasSize(9);
        assertThat(graph.nodes()).noneMatch(BlockNode::isQuiesced);
    }

    @Test
    @Rule("TH-26")
    void shouldRefuseACommitHandleAfterItsCommit() {
        BlockNode node = machine.node("n", new NullDriver(512));
        BlockBackend backend = machine.backend("disk", node, machine.main);
        List<GraphCommit> leaked = new ArrayList<>();
        graph.runBlocking(new GraphChange() {
            @Override
            public String describe() {
                return "leak";
            }

            @Override
            public Collection<? extends Drainable> plan() {
                return List.of(backend);
            }

            @Override
            public void commit(GraphCommit commit) {
                leaked.add(commit);
            }
        });

        assertThatThrownBy(() -> leaked.get(0).move(graph.planMove(node, machine.a, null)))
                .isInstanceOf(BlockLayerException.class);
        backend.removeRoot();
        ContextChange move = graph.planMove(node, machine.a, null);
        assertThatThrownBy(() -> leaked.get(0).move(move))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("over");
    }
}
