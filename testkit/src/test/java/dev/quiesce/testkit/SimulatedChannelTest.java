package dev.quiesce.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.source.ReadinessSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Channels in a simulation: when they become ready is a choice, which is recorded. */
class SimulatedChannelTest {
    @Test
    void shouldLetReadinessComeBeforeOrAfterWhateverElseMoves() {
        Set<List<String>> orders = new HashSet<>();

        SearchReport report = ScheduleSearch.of(sim -> {
            List<String> order = new ArrayList<>();
            AioContext io = sim.context("io");
            Pipe pipe = sim.pipe("wire", 4);
            sim.given(io, () -> attach(io, pipe, order));
            sim.actor("peer").does("writes", () -> write(pipe, "x"));
            sim.actor("other").does("posts", () -> io.execute(() -> order.add("task")));
            sim.inTheEnd("both ran", () -> {
                orders.add(order);
                return order.size() == 2;
            });
        }).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(orders).containsExactlyInAnyOrder(List.of("task", "x"), List.of("x", "task"));
    }

    @Test
    void shouldRepeatAndReplayARunWithChannels() {
        Scenario scenario = sim -> {
            AioContext io = sim.context("io");
            List<String> order = new ArrayList<>();
            List<Pipe> pipes = List.of(
                    sim.pipe("a", 4), sim.pipe("b", 4), sim.pipe("c", 4));
            sim.tasksPerTurn(3);
            sim.given(io, () -> pipes.forEach(pipe -> attach(io, pipe, order)));
            sim.actor("peer").does("writes", () -> {
                for (int i = 0; i < pipes.size(); i++) {
                    write(pipes.get(i), "abc".substring(i, i + 1));
                }
            });
            sim.inTheEnd("in alphabetical order", () -> order.equals(List.of("a", "b", "c")));
        };
        Set<Boolean> outcomes = new HashSet<>();

        for (long seed = 1; seed <= 40; seed++) {
            RunReport first = Simulation.run(scenario, seed);
            RunReport told = Simulation.replay(scenario, first);

            assertThat(told.choices()).isEqualTo(first.choices());
            assertThat(told.fingerprint()).isEqualTo(first.fingerprint());
            assertThat(told.isFailed()).isEqualTo(first.isFailed());
            if (first.isFailed()) {
                assertThat(Simulation.shrink(scenario, first).kind()).isEqualTo(first.kind());
            }
            outcomes.add(first.isFailed());
        }

        assertThat(outcomes).containsExactlyInAnyOrder(true, false);
    }

    @Test
    void shouldBeReadInOrderWrittenUpToItsCapacityAndEndAfterTheLastByte() {
        Simulation.run(sim -> {
            Pipe pipe = sim.pipe("wire", 3);
            List<String> got = new ArrayList<>();
            AioContext io = sim.context("io");
            sim.given(io, () -> attach(io, pipe, got));
            sim.actor("peer")
                    .does("writes more than fits", () -> {
                        assertThat(write(pipe, "abcde")).isEqualTo(3);
                        assertThat(write(pipe, "d")).isZero();
                    })
                    .doesWhen("closes", () -> !got.isEmpty(), () -> close(pipe));
            sim.inTheEnd("all of it, then the end", () -> got.equals(List.of("abc", "end")));
        }, 1).orThrow();
    }

    @Test
    void shouldTellWhoWritesWhenThereIsRoomAndWhenTheReaderHasGone() {
        SearchReport report = ScheduleSearch.of(sim -> {
            Pipe pipe = sim.pipe("wire", 1);
            List<String> log = new ArrayList<>();
            AioContext io = sim.context("io");
            ChannelHandler[] writer = new ChannelHandler[1];
            sim.given(io, () ->
                    writer[0] = ChannelHandler.attach(io, "writer", pipe.sink(), null, () -> {
                        try {
                            log.add("wrote " + pipe.sink().write(ByteBuffer.allocate(2)));
                        } catch (IOException e) {
                            log.add("broken");
                            writer[0].detach();
                        }
                    }));
            sim.actor("reader").doesWhen("goes", () -> !log.isEmpty(), () -> closeSource(pipe));
            sim.inTheEnd("one byte fits, and then it is told",
                    () -> log.equals(List.of("wrote 1", "broken")));
        }).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
    }

    @Test
    void shouldServeChannelsOfTheSimulationOnlyAndThoseNowhereElse() throws IOException {
        Pipe real = Pipe.open();
        real.source().configureBlocking(false);
        Pipe[] simulated = new Pipe[1];

        Simulation.run(sim -> {
            AioContext io = sim.context("io");
            simulated[0] = sim.pipe("wire", 1);
            sim.given(io, () -> {
                assertThatThrownBy(() ->
                        ChannelHandler.attach(io, "real", real.source(), () -> { }, null))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll("real", "io", "provider", "AIO-21");
                assertThat(io.source()).isNull();
            });
        }, 1).orThrow();
        AioContext loop = new AioContext("loop", LoopSeams.system());
        try (Lease lease = loop.acquire()) {
            assertThat(lease).isNotNull();
            assertThatThrownBy(() -> ChannelHandler.attach(
                    loop, "simulated", simulated[0].source(), () -> { }, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("simulated", "loop", "provider", "AIO-21");
        }
        assertThatThrownBy(() -> simulated[0].source().configureBlocking(true))
                .isInstanceOf(IOException.class);
        real.source().close();
        real.sink().close();
    }

    @Test
    void shouldRefuseASourceThatItCannotRepeat() {
        Simulation.run(sim -> sim.given(sim.main(), () ->
                assertThatThrownBy(() -> sim.main().attachSource(new WorldOutside()))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll("main", "the world outside", "simulation")), 1)
                .orThrow();
    }

    @Test
    void shouldRefuseAPipeThatHoldsNothing() {
        Simulation.run(sim -> assertThatThrownBy(() -> sim.pipe("wire", 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0"), 1)
                .orThrow();
    }

    /** Reads everything that there is, and detaches at the end. */
    private static void attach(AioContext context, Pipe pipe, List<String> log) {
        ChannelHandler[] handler = new ChannelHandler[1];
        handler[0] = ChannelHandler.attach(context, "reader", pipe.source(), () -> {
            ByteBuffer into = ByteBuffer.allocate(16);
            try {
                int count = pipe.source().read(into);
                log.add(count < 0 ? "end" : new String(into.array(), 0, count, US_ASCII));
                if (count < 0) {
                    handler[0].detach();
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }, null);
    }

    private static int write(Pipe pipe, String what) {
        try {
            return pipe.sink().write(ByteBuffer.wrap(what.getBytes(US_ASCII)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void closeSource(Pipe pipe) {
        try {
            pipe.source().close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void close(Pipe pipe) {
        try {
            pipe.sink().close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A source that only the operating system could answer for. */
    private static final class WorldOutside implements ReadinessSource {
        @Override
        public void sleep(long maxNanos) {
            throw new AssertionError("never attached");
        }

        @Override
        public void wakeUp() {
            throw new AssertionError("never attached");
        }

        @Override
        public void deliver() {
            throw new AssertionError("never attached");
        }

        @Override
        public void describe(List<String> out) {
            throw new AssertionError("never attached");
        }

        @Override
        public void close() {
            throw new AssertionError("never attached");
        }

        @Override
        public String toString() {
            return "the world outside";
        }
    }
}
