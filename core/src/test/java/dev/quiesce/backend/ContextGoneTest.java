package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where a disk cannot go any more: to a loop that has ended, or a context that is closed. */
class ContextGoneTest {
    private final Machine machine = new Machine();
    private final BlockNode node = machine.graph.add("node", new HeldDriver("held"));

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    private AioContext ended() {
        IoThread ioThread = IoThread.start(new IoThreadConfig(
                "io", run -> new Thread(run, "io thread"), machine.seams, true));
        ioThread.close();
        return ioThread.context();
    }

    private static void refused(ThrowingCallable call, String... what) {
        assertThatThrownBy(call).isInstanceOf(BlockLayerException.class)
                .hasMessageContainingAll("context 'io'", "IOT-7").hasMessageContainingAll(what);
    }

    @Test
    @Rule("IOT-7")
    void shouldNotMoveToALoopThatHasEnded() {
        BlockBackend backend = machine.backend("disk", node, machine.a);
        AioContext gone = ended();

        refused(() -> backend.setContext(gone), "'node'");
        refused(() -> machine.graph.setContext(node, gone), "'node'");
        CompletionStage<Void> moving = backend.setContextAsync(gone);

        machine.settle();
        assertThatThrownBy(() -> moving.toCompletableFuture().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(BlockLayerException.class);
        assertThat(backend.context()).isSameAs(machine.a);
        assertThat(node.context()).isSameAs(machine.a);
        assertThat(backend.gate().isQuiesced()).isFalse();
    }

    @Test
    @Rule("IOT-7")
    void shouldNotMoveToAContextThatIsClosed() {
        BlockBackend backend = machine.backend("disk", node, machine.main);
        AioContext other = new AioContext("other", machine.seams);
        Lease lease = other.acquire();
        other.close();
        lease.close();

        assertThatThrownBy(() -> backend.setContext(other))
                .isInstanceOf(BlockLayerException.class)
                .hasMessageContainingAll("'node'", "context other is closed", "AIO-75");

        assertThat(backend.context()).isSameAs(machine.main);
    }

    @Test
    @Rule("IOT-7")
    void shouldNotBeMadeOnALoopThatHasEnded() {
        AioContext gone = ended();

        refused(() -> machine.backend("disk", node, gone), "'disk'");
        refused(() -> machine.backend("drive", null, gone), "'drive'");

        assertThat(node.context()).isSameAs(machine.main);
        machine.backend("disk", node, machine.a);
        machine.backend("drive", null, machine.a);
    }

    @Test
    @Rule("IOT-7")
    void shouldLeaveALoopThatHasEnded() {
        IoThread ioThread = IoThread.start(new IoThreadConfig(
                "io", run -> new Thread(run, "io thread"), machine.seams, true));
        BlockBackend backend = machine.backend("disk", node, ioThread.context());
        ioThread.close();

        backend.setContext(ioThread.context());
        backend.setContext(machine.main);

        assertThat(backend.context()).isSameAs(machine.main);
        assertThat(node.context()).isSameAs(machine.main);
    }
}
