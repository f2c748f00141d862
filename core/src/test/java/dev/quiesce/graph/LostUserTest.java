package dev.quiesce.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.HeldDriver;
import dev.quiesce.backend.Machine;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.rules.Rule;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who goes back to main after an edit: a component that lost a user, and no other. */
class LostUserTest {
    private Machine machine;
    private BlockGraph graph;
    private BlockNode base;
    private BlockBackend disk;

    @BeforeEach
    void build() {
        machine = new Machine();
        graph = machine.graph;
        base = machine.node("base", new HeldDriver("base"));
        disk = machine.movableBackend("disk", base, machine.a);
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    @Rule("CTX-17")
    void shouldKeepAMovableDiskWhereItIsWhenAFilterComesAndGoes() {
        graph.applyBlocking(insert("filter", base));
        expectAllIn(machine.a);

        graph.applyBlocking(graph.edit().removeFilter(graph.find("filter")));

        expectAllIn(machine.a);
        assertThat(disk.root()).isSameAs(base);
        assertThat(disk.stats().contextChanges()).isZero();
    }

    @Test
    @Rule("CTX-17")
    void shouldKeepAMovableDiskWhereItIsWhenEditsAreAsynchronous() {
        machine.finish(graph.apply(insert("filter", base)));
        expectAllIn(machine.a);

        machine.finish(graph.apply(graph.edit().removeFilter(graph.find("filter"))));

        expectAllIn(machine.a);
        assertThat(disk.stats().contextChanges()).isZero();
    }

    @Test
    @Rule("CTX-17")
    void shouldKeepADiskWhenAWholeStackOfFiltersGoesInOneEdit() {
        graph.applyBlocking(insert("inner", base));
        graph.applyBlocking(insert("outer", graph.find("inner")));

        graph.applyBlocking(graph.edit()
                .insertFilter("fresh", new PassthroughDriver(), base)
                .removeFilter(graph.find("inner"))
                .removeFilter(graph.find("outer")));

        expectAllIn(machine.a);
        assertThat(disk.stats().contextChanges()).isZero();
    }

    @Test
    @Rule("CTX-17")
    void shouldKeepADiskWhenANodeGoesThatNobodyUsed() {
        BlockNode unused = machine.node("unused", new HeldDriver("unused"), base);

        graph.remove(unused);

        expectAllIn(machine.a);
    }

    @Test
    @Rule("CTX-17")
    void shouldKeepNodesWithoutUsersWhereTheyWereBroughtWhenAFilterComesAndGoes() {
        BlockNode lower = machine.node("lower", new HeldDriver("lower"));
        machine.node("upper", new HeldDriver("upper"), lower);
        graph.setContext(lower, machine.b);

        graph.applyBlocking(insert("filter", lower));
        graph.applyBlocking(graph.edit().removeFilter(graph.find("filter")));

        assertThat(lower.context()).isSameAs(machine.b);
    }

    @Test
    @Rule("CTX-17")
    void shouldSendHomeWhatANodeAboveHasLeft() {
        BlockNode top = machine.node("top", new HeldDriver("top"), base);
        disk.replace(top);
        BlockNode other = machine.node("other", new HeldDriver("other"));
        machine.movableBackend("pin", other, machine.a).removeRoot();

        graph.applyBlocking(graph.edit().replace(base, other));

        assertThat(top.children()).containsExactly(other);
        assertThat(base.context()).isSameAs(machine.main);
        assertThat(List.of(top.context(), other.context(), disk.context()))
                .containsOnly(machine.a);
    }

    @Test
    @Rule("CTX-17")
    void shouldAskWhoIsLeftWhenOneOfTwoDisksLeaves() {
        BlockBackend second = machine.movableBackend("second", base, machine.a);

        second.removeRoot();

        expectAllIn(machine.main);
    }

    private GraphEdit insert(String name, BlockNode below) {
        return graph.edit().insertFilter(name, new PassthroughDriver(), below);
    }

    private void expectAllIn(AioContext context) {
        assertThat(disk.context()).isSameAs(context);
        assertThat(graph.nodes()).allSatisfy(
                node -> assertThat(node.context()).isSameAs(context));
    }
}
