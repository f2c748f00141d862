package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.WritableByteChannel;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * Handlers of channels, while their bytes arrive at any moment, and while they move from loop to
 * loop: random schedules, and every schedule with few preemptions.
 */
class ChannelSimulationTest {
    private static final int PREEMPTIONS = 3;
    private static final String LATE = "served where it is not attached";
    private static final String DISORDER = "bytes are lost or swapped";

    /** How a handler is moved to another loop. */
    private enum Mover {
        /** Detaches in the old loop, and goes on in the new one. */
        DETACHES_FIRST,

        /** The mistake of not waiting: asks both loops at once. */
        ASKS_BOTH
    }

    /** Where the bytes are read. */
    private enum Reader {
        /** In the callback. */
        AT_ONCE,

        /** The mistake of reading in a task of its own, which no detach takes back. */
        LATER
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-25")
    @Rule("AIO-26")
    void shouldServeEveryByteOnceAndOnlyWhereItIsAttachedUnderRandomSchedules(
            TestReporter reporter) {
        int distinct = SeededRuns.run(
                sim -> new Stream(sim, Mover.DETACHES_FIRST, Reader.AT_ONCE).tell(6, 4));

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isGreaterThan(1_000);
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-25")
    void shouldServeEveryByteOnceAndOnlyWhereItIsAttachedUnderEverySchedule() {
        SearchReport report = search(Mover.DETACHES_FIRST, Reader.AT_ONCE);

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    @Test
    void shouldFindAHandlerThatIsAttachedElsewhereBeforeItIsDetached() {
        SearchReport report = search(Mover.ASKS_BOTH, Reader.AT_ONCE);

        assertThat(report.isClean()).as(report.toString()).isFalse();
        assertThat(report.toString()).contains("registered already");
    }

    @Test
    void shouldFindACallbackThatGoesOnAfterTheDetach() {
        SearchReport report = search(Mover.DETACHES_FIRST, Reader.LATER);

        assertThat(report.kinds()).as(report.toString()).contains(LATE);
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-25")
    void shouldNotStartWhatAnotherCallbackHasDetachedThoughBothWereReady() {
        Set<String> first = new HashSet<>();
        for (int tasksPerTurn = 1; tasksPerTurn <= 2; tasksPerTurn++) {
            int tasks = tasksPerTurn;
            SearchReport report = ScheduleSearch.of(sim -> {
                sim.tasksPerTurn(tasks);
                rivals(sim, first);
            }).preemptionsMax(PREEMPTIONS).explore();

            assertThat(report.isClean()).as(report.toString()).isTrue();
            assertThat(report.isComplete()).isTrue();
        }
        assertThat(first).as("who came first").containsExactlyInAnyOrder("left", "right");
    }

    @Test
    @Rule("AIO-57")
    @Rule("AIO-84")
    void shouldServeTheChannelsOfMainWhileControlWaits() {
        SearchReport report = ScheduleSearch.of(sim -> waiting(sim, 2))
                .preemptionsMax(PREEMPTIONS).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    @Test
    void shouldFindAWaitForWhatNobodyWrites() {
        SearchReport report = ScheduleSearch.of(sim -> waiting(sim, 1)).explore();

        assertThat(report.kinds()).as(report.toString()).containsExactly("stuck");
    }

    @Test
    @Rule("IOT-6")
    @Rule("NET-T04")
    void shouldLeaveTheChannelToAnotherLoopWhenItsLoopEnds() {
        SearchReport report = ScheduleSearch.of(sim -> {
            Stream stream = new Stream(sim, Mover.DETACHES_FIRST, Reader.AT_ONCE);
            sim.expectErrors(error -> error instanceof IllegalStateException
                    && String.valueOf(error.getMessage()).contains("is still attached"));
            sim.actor("A's own", stream.a).does("dies", () -> sim.endLoop(stream.a));
            sim.actor("B's own", stream.b).doesWhen("takes over", stream.a::isGone, () -> {
                if (!stream.ended) {
                    stream.attach(stream.b);
                }
            });
            stream.tell(2, 0);
        }).preemptionsMax(PREEMPTIONS).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    private static SearchReport search(Mover mover, Reader reader) {
        return ScheduleSearch.of(sim -> new Stream(sim, mover, reader).tell(2, 1))
                .preemptionsMax(PREEMPTIONS).explore();
    }

    /** Two handlers of one loop, each of which detaches the other: one of them runs. */
    private static void rivals(Simulation sim, Set<String> first) {
        AioContext io = sim.context("io");
        Pipe left = sim.pipe("left wire", 1);
        Pipe right = sim.pipe("right wire", 1);
        Set<String> ran = new HashSet<>();
        ChannelHandler[] handlers = new ChannelHandler[2];
        sim.given(io, () -> {
            handlers[0] = ChannelHandler.attach(io, "left", left.source(), () -> {
                ran.add("left");
                first.add("left");
                handlers[1].detach();
                handlers[0].detach();
            }, null);
            handlers[1] = ChannelHandler.attach(io, "right", right.source(), () -> {
                ran.add("right");
                first.add("right");
                handlers[0].detach();
                handlers[1].detach();
            }, null);
        });
        sim.actor("peer")
                .does("writes to the left", () -> write(left.sink(), 1))
                .does("writes to the right", () -> write(right.sink(), 1));
        sim.inTheEnd("one has run", () -> ran.size() == 1);
        sim.inTheEnd("the loop parks again", () -> io.source() == null);
    }

    /** Control waits for two bytes; a peer writes so many. */
    private static void waiting(Simulation sim, int written) {
        AioContext main = sim.main();
        Pipe pipe = sim.pipe("wire", 2);
        int[] read = new int[1];
        ChannelHandler[] handler = new ChannelHandler[1];
        sim.given(main, () -> handler[0] = ChannelHandler.attach(
                main, "reader", pipe.source(), () -> read[0] += read(pipe) > 0 ? 1 : 0, null));
        sim.actor("peer").repeats(written, "writes", () -> write(pipe.sink(), 1));
        sim.actor("control", main).does("waits", () -> {
            ControlWait.until(main, new ControlWait.Target() {
                @Override
                public boolean isDone() {
                    return read[0] == 2;
                }

                @Override
                public void describe(WaitReport out) {
                    out.outstanding("bytes", sim.context("elsewhere"), 2 - read[0], false);
                }
            });
            handler[0].detach();
        });
        sim.inTheEnd("both were read", () -> read[0] == 2);
    }

    private static void write(WritableByteChannel to, int what) {
        try {
            int count = to.write(ByteBuffer.wrap(new byte[] {(byte) what}));
            assertThat(count).isEqualTo(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the next byte, 0 if there is none yet, or -1 at the end of the stream. */
    private static int read(Pipe from) {
        try {
            ByteBuffer into = ByteBuffer.allocate(1);
            int count = from.source().read(into);
            return count > 0 ? into.get(0) : count;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A peer writes the numbers from 1, and closes; a handler reads them, here or there. */
    private static final class Stream {
        private static final int CAPACITY_BYTES = 2;

        private final Simulation sim;
        private final Mover mover;
        private final Reader reader;
        private final AioContext a;
        private final AioContext b;
        private final Pipe pipe;
        private @Nullable ChannelHandler handler;
        private @Nullable AioContext at;
        private int lastRead;
        private boolean ended;

        Stream(Simulation sim, Mover mover, Reader reader) {
            this.sim = sim;
            this.mover = mover;
            this.reader = reader;
            this.a = sim.context("A");
            this.b = sim.context("B");
            this.pipe = sim.pipe("wire", CAPACITY_BYTES);
            sim.given(a, () -> attach(a));
        }

        void tell(int bytes, int moves) {
            int[] next = {1};
            sim.actor("peer")
                    .servesWhen("writes or closes", () -> pipe.sink().isOpen()
                            && next[0] - 1 - lastRead < CAPACITY_BYTES, () -> {
                                if (next[0] > bytes) {
                                    close();
                                } else {
                                    write(pipe.sink(), next[0]++);
                                }
                            });
            sim.actor("control", sim.main()).repeats(moves, "moves the handler", this::move);
            sim.inTheEnd("the end was read", () -> ended);
            sim.inTheEnd("everything was read", () -> lastRead == bytes);
            sim.inTheEnd("no loop has a channel", () -> a.source() == null && b.source() == null);
        }

        private void move() {
            AioContext from = at == null ? b : at;
            AioContext to = from == a ? b : a;
            if (mover == Mover.ASKS_BOTH) {
                from.execute(() -> detach(from));
                to.execute(() -> attach(to));
                return;
            }
            from.execute(() -> {
                if (detach(from)) {
                    to.execute(() -> attach(to));
                }
            });
        }

        private void attach(AioContext context) {
            handler = ChannelHandler.attach(
                    context, "reader", pipe.source(), () -> onReadable(context), null);
            at = context;
        }

        /** False if it is not here, or has come to its end. */
        private boolean detach(AioContext context) {
            ChannelHandler present = handler;
            if (ended || present == null || at != context) {
                return false;
            }
            present.detach();
            at = null;
            handler = null;
            return true;
        }

        private void onReadable(AioContext context) {
            if (reader == Reader.LATER) {
                context.execute(() -> readOne(context));
            } else {
                readOne(context);
            }
        }

        private void readOne(AioContext context) {
            if (at != context || !context.isHome()) {
                sim.fail(LATE, "in " + context.name());
            }
            int got = read(pipe);
            if (got < 0) {
                detach(context);
                ended = true;
            } else if (got > 0 && got != ++lastRead) {
                sim.fail(DISORDER, got + " instead of " + lastRead);
            }
        }

        private void close() {
            try {
                pipe.sink().close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
