package dev.quiesce.aio.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three channels that are found ready together, in an order that nobody knows. */
@Timeout(60)
class ReadyHandlersTest {
    private final AioContext context = new AioContext("io", LoopSeams.system());
    private final Lease lease = context.acquire();
    private final List<Pipe> pipes = new ArrayList<>();
    private final List<ChannelHandler> handlers = new ArrayList<>();
    private final List<String> log = new ArrayList<>();

    @BeforeEach
    void makeThemReady() throws IOException {
        for (int i = 0; i < 3; i++) {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            pipe.sink().write(ByteBuffer.allocate(1));
            pipes.add(pipe);
        }
    }

    @AfterEach
    void close() throws IOException {
        handlers.forEach(ChannelHandler::detach);
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
        lease.close();
    }

    @Test
    @Rule("AIO-23")
    @Rule("BUG-21")
    void shouldKeepWhatWasFoundReadyWhenItsCallbacksAreReplaced() {
        attach(mine -> {
            log.add("old");
            for (int other = 0; other < 3; other++) {
                if (other != mine) {
                    handlers.get(other).update(() -> log.add("new"), null);
                }
            }
        });

        context.poll(Long.MAX_VALUE);

        assertThat(log).containsExactly("old", "new", "new");
    }

    @Test
    @Rule("AIO-25")
    void shouldPassOverInTheOuterSliceWhatANestedTurnHasDetached() {
        attach(mine -> {
            log.add("runs at depth " + context.pollDepth());
            if (context.pollDepth() == 1) {
                consume(mine);
                context.poll(0);
            } else {
                handlers.forEach(ChannelHandler::detach);
            }
        });

        context.poll(Long.MAX_VALUE);
        context.poll(0);

        assertThat(log).containsExactly("runs at depth 1", "runs at depth 2");
    }

    /** Gives each channel a handler that does the same and knows which one it is. */
    private void attach(IntConsumer onReadable) {
        for (int i = 0; i < 3; i++) {
            int mine = i;
            handlers.add(ChannelHandler.attach(context, "handler " + i, pipes.get(i).source(),
                    () -> onReadable.accept(mine), null));
        }
    }

    private void consume(int which) {
        try {
            assertThat(pipes.get(which).source().read(ByteBuffer.allocate(16))).isEqualTo(1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
