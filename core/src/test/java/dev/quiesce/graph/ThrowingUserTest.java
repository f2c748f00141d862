package dev.quiesce.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.HeldDriver;
import dev.quiesce.backend.Machine;
import dev.quiesce.backend.Recorder;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Drivers and users of nodes that throw where they must not: nobody else is left stopped. */
class ThrowingUserTest {
    private Machine machine;
    private BlockGraph graph;
    private BlockNode base;

    @BeforeEach
    void build() {
        machine = new Machine();
        graph = machine.graph;
        base = machine.node("base", new MemoryDriver(65_536));
    }

    @AfterEach
    void leave() {
        machine.close();
    }

    @Test
    @Rule("DRAIN-7")
    void shouldQuiesceNobodyWhenOneUserRefuses() {
        User refusing = attached("refusing", base);
        User willing = attached("willing", base);
        BlockBackend disk = machine.backend("disk", base, machine.main);
        refusing.refusesToQuiesce = true;

        assertThatThrownBy(() -> DrainedSection.begin(base)).hasMessage("refusing refuses");

        assertThat(base.isQuiesced()).isFalse();
        assertThat(base.gate().isQuiesced()).isFalse();
        assertThat(disk.isQuiesced()).isFalse();
        assertThat(willing.quiesced).isZero();
        refusing.refusesToQuiesce = false;
        DrainedSection.begin(base).close();
        assertThat(refusing.quiesced).isZero();
    }

    @Test
    @Rule("DRAIN-7")
    void shouldQuiesceNobodyOfTwoLevelsWhenTheLastOneRefuses() {
        BlockNode top = machine.node("top", new HeldDriver("top"), base);
        User refusing = attached("refusing", top);
        BlockBackend disk = machine.backend("disk", base, machine.main);
        refusing.refusesToQuiesce = true;

        assertThatThrownBy(() -> DrainedSection.begin(base)).hasMessage("refusing refuses");

        assertThat(List.of(base.quiesceCount(), top.quiesceCount())).containsOnly(0);
        assertThat(disk.isQuiesced()).isFalse();
        refusing.refusesToQuiesce = false;
        DrainedSection.begin(base).close();
    }

    @Test
    @Rule("DRAIN-17")
    void shouldResumeTheOthersWhenOneUserThrowsOnResume() {
        User throwing = attached("throwing", base);
        User second = attached("second", base);
        DrainedSection section = DrainedSection.begin(base);
        second.throwsOnResume = true;

        assertThatThrownBy(section::close).hasMessage("second does not go on");

        assertThat(throwing.quiesced).isZero();
        assertThat(base.gate().isQuiesced()).isFalse();
    }

    @Test
    void shouldFinishAnEditWhenTheLimitsOfADriverCannotBeHad() {
        BadLimits driver = new BadLimits();
        BlockNode upper = machine.node("upper", driver, base);
        BlockLimits before = upper.limits();
        driver.throwing = true;

        graph.applyBlocking(graph.edit().insertFilter("f", new PassthroughDriver(), base));

        assertThat(upper.children()).containsExactly(graph.find("f"));
        assertThat(upper.limits()).isSameAs(before);
        assertThat(machine.errors).singleElement().asString()
                .contains("limits of the driver of 'upper'");
    }

    @Test
    void shouldCloseARemovedDriverWhenAUserCannotBearTheNews() {
        HeldDriver filter = new HeldDriver("filter");
        User user = attached("user", base);
        graph.applyBlocking(graph.edit().insertFilter("f", filter, base));
        user.throwsAtNews = true;

        graph.applyBlocking(graph.edit().removeFilter(graph.find("f")));

        assertThat(filter.closes).isEqualTo(1);
        assertThat(machine.errors).singleElement().asString().contains("rootChanged of 'user'");
    }

    @Test
    void shouldLeaveAWholeGraphWhenAChangeThrowsHalfWay() {
        HeldDriver filter = new HeldDriver("filter");
        BlockNode node = machine.node("f", filter, base);
        BlockNode alone = machine.node("alone", new HeldDriver("alone"));

        assertThatThrownBy(() -> graph.runBlocking(new GraphChange() {
            @Override
            public String describe() {
                return "half a change";
            }

            @Override
            public Collection<? extends Drainable> plan() {
                return List.of(base, alone);
            }

            @Override
            public void commit(GraphCommit commit) {
                commit.retire(node);
                throw new IllegalStateException("half way");
            }
        })).hasMessage("half way");

        assertThat(filter.closes).isEqualTo(1);
        assertThat(base.isQuiesced()).isFalse();
        assertThat(base.component()).isNotSameAs(node.component());
        graph.setContext(base, machine.a);
        assertThat(base.context()).isSameAs(machine.a);
    }

    @Test
    @Rule("REQ-45")
    void shouldEndAResizeWhenADriverAboveThrowsAtTheNews() {
        BadLimits driver = new BadLimits();
        machine.node("upper", driver, base);
        BlockBackend disk = machine.movableBackend("disk", base, machine.main);
        driver.throwing = true;

        CompletionStage<Void> resized = graph.resizeAsync(base, 1024);
        CompletionStage<Void> moved = graph.setContextAsync(base, machine.a);
        machine.finish(resized);
        machine.finish(moved);

        assertThat(disk.lengthBytes()).isEqualTo(1024);
        assertThat(disk.isQuiesced()).isFalse();
        assertThat(disk.context()).isSameAs(machine.a);
        assertThat(machine.errors).isNotEmpty();
        Recorder recorder = new Recorder();
        disk.port(machine.main).submit(Machine.read(recorder));
        machine.settle();
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
    }

    private User attached(String name, BlockNode node) {
        User user = new User(name);
        graph.runBlocking(new GraphChange() {
            @Override
            public String describe() {
                return "attach " + name;
            }

            @Override
            public Collection<? extends Drainable> plan() {
                return List.of();
            }

            @Override
            public void commit(GraphCommit commit) {
                commit.attach("root", user, node);
            }
        });
        return user;
    }

    private static final class BadLimits extends HeldDriver {
        private boolean throwing;

        BadLimits() {
            super("bad");
        }

        @Override
        public BlockLimits limits() {
            if (throwing) {
                throw new IllegalStateException("no limits");
            }
            return BlockLimits.unlimited();
        }
    }

    /** A user of a node that is no backend. */
    private final class User implements GraphParent {
        private final String name;
        private int quiesced;
        private boolean refusesToQuiesce;
        private boolean throwsOnResume;
        private boolean throwsAtNews;

        User(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public AioContext main() {
            return machine.main;
        }

        @Override
        public AioContext context() {
            return machine.main;
        }

        @Override
        public void quiesce() {
            if (refusesToQuiesce) {
                throw new IllegalStateException(name + " refuses");
            }
            quiesced++;
        }

        @Override
        public void resume() {
            quiesced--;
            if (throwsOnResume) {
                throw new IllegalStateException(name + " does not go on");
            }
        }

        @Override
        public boolean isBusy() {
            return false;
        }

        @Override
        public void describe(WaitReport out) {
        }

        @Override
        public @Nullable String refuseMove(AioContext target, boolean initiator) {
            return null;
        }

        @Override
        public void moveTo(AioContext target) {
        }

        @Override
        public void moved(AioContext target) {
        }

        @Override
        public void rootChanged() {
            if (throwsAtNews) {
                throw new IllegalStateException(name + " cannot bear it");
            }
        }
    }
}
