package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.filter.RawDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Nodes that become shorter or longer below their backends. */
class ResizeTest {
    private static final long LENGTH = 64 * 1024;

    private final List<String> log = new ArrayList<>();
    private Machine machine;
    private BlockNode memory;

    @BeforeEach
    void build() {
        machine = new Machine();
        memory = machine.node("memory", new MemoryDriver(LENGTH));
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    @Rule("REQ-44")
    @Rule("REQ-45")
    @Rule("BB-65")
    void shouldTellTheBackendInsideTheSection() {
        BlockBackend backend = listening(machine.backend("disk", memory, machine.main));

        backend.resize(2 * LENGTH);

        assertThat(backend.lengthBytes()).isEqualTo(2 * LENGTH);
        assertThat(log).containsExactly("disk 131072 quiesced");
        assertThat(backend.isQuiesced()).isFalse();
    }

    @Test
    @Rule("REQ-47")
    void shouldTellEverybodyWhoseLengthFollows() {
        BlockNode raw = machine.node("raw", new RawDriver(512, RawDriver.REMAINDER), memory);
        BlockNode window = machine.node("window", new RawDriver(0, 4096), memory);
        BlockNode overlay = machine.node("overlay", new OverlayDriver(new OverlayConfig(0)), raw);
        listening(machine.backend("over", overlay, machine.main));
        listening(machine.backend("beside", window, machine.main));
        listening(machine.backend("direct", memory, machine.main));

        machine.graph.resize(memory, 8192);

        assertThat(log).containsExactlyInAnyOrder("over 7680 quiesced", "direct 8192 quiesced");
    }

    @Test
    @Rule("REQ-44")
    void shouldWaitForWhatIsInFlightAndParkWhatComesMeanwhile() {
        HeldDriver held = new HeldDriver("held").holding();
        BlockNode top = machine.node("top", held, memory);
        BlockBackend backend = machine.backend("disk", top, machine.main);
        Recorder recorder = new Recorder();
        backend.port(machine.a).submit(Machine.write(recorder, LENGTH - 512));

        CompletionStage<Void> resized = machine.graph.resizeAsync(memory, 512);
        machine.settle();
        backend.port(machine.a).submit(Machine.write(recorder, LENGTH - 512));
        machine.settle();

        assertThat(memory.lengthBytes()).isEqualTo(LENGTH);
        assertThat(resized.toCompletableFuture()).isNotDone();
        held.release();
        machine.finish(resized);
        assertThat(memory.lengthBytes()).isEqualTo(512);
        assertThat(recorder.statuses).containsExactly(BlockStatus.OK, BlockStatus.INVALID);
    }

    @Test
    @Rule("DRAIN-32")
    void shouldParkATruncateThatIsSubmittedInsideASection() {
        BlockBackend backend = listening(machine.backend("disk", memory, machine.main));
        Recorder recorder = new Recorder(machine.a);

        DrainedSection section = DrainedSection.begin(backend);
        backend.port(machine.a).submit(truncate(recorder, 512));
        machine.settle();
        assertThat(memory.lengthBytes()).isEqualTo(LENGTH);
        section.close();
        machine.settle();

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(backend.lengthBytes()).isEqualTo(512);
        assertThat(log).containsExactly("disk 512 running");
    }

    @Test
    @Rule("BB-65")
    void shouldHaveToldEverybodyBeforeALaterSectionIsSettled() {
        BlockBackend backend = listening(machine.backend("disk", memory, machine.main));
        BlockBackend other = listening(machine.backend("other", memory, machine.main));
        Recorder recorder = new Recorder();
        backend.port(machine.a).submit(truncate(recorder, 1024));
        while (recorder.statuses.isEmpty()) {
            machine.a.poll(0);
        }

        DrainedSection section = DrainedSection.begin(backend);

        assertThat(log).containsExactlyInAnyOrder("disk 1024 quiesced", "other 1024 running");
        section.close();
        assertThat(other.lengthBytes()).isEqualTo(1024);
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseATruncateThatTheBackendMayNotMake() {
        BlockBackend readOnly = BlockBackend.create(machine.graph,
                BackendConfig.named("ro").withReadOnly(true), memory, machine.main);
        BlockBackend empty = machine.backend("empty", null, machine.main);
        BlockBackend writable = machine.backend("disk", memory, machine.main);

        assertThat(statusOf(readOnly, 512)).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(statusOf(empty, 512)).isEqualTo(BlockStatus.NO_MEDIUM);
        assertThat(statusOf(writable, -512)).isEqualTo(BlockStatus.INVALID);
        assertThat(memory.lengthBytes()).isEqualTo(LENGTH);
    }

    @Test
    void shouldSayWhyANodeWasNotResized() {
        BlockNode window = machine.node("window", new RawDriver(0, 512), memory);
        BlockBackend readOnly = BlockBackend.create(machine.graph,
                BackendConfig.named("ro").withReadOnly(true), memory, machine.main);
        BlockBackend empty = machine.backend("empty", null, machine.main);

        assertThatThrownBy(() -> machine.graph.resize(window, 512))
                .isInstanceOf(BlockLayerException.class)
                .hasMessage("node 'window' was not resized to 512 bytes:"
                        + " driver 'raw' cannot do that here");
        assertThatThrownBy(() -> machine.graph.resize(memory, Long.MAX_VALUE))
                .hasMessageContaining("driver 'memory' has no such length");
        assertThatThrownBy(() -> machine.graph.resize(memory, -1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
        assertThatThrownBy(() -> readOnly.resize(512))
                .isInstanceOf(BlockLayerException.class).hasMessageContaining("read-only");
        assertThatThrownBy(() -> empty.resize(512)).hasMessageContaining("nothing is inserted");
        assertThatThrownBy(() -> machine.finish(empty.resizeAsync(512)))
                .hasCauseInstanceOf(BlockLayerException.class);
    }

    @Test
    void shouldEndTheSectionWhenTheNodeCannotBeResized() {
        BlockNode window = machine.node("window", new RawDriver(0, 512), memory);
        BlockBackend backend = machine.backend("disk", window, machine.main);

        CompletionStage<Void> refused = machine.graph.resizeAsync(window, 1024);
        machine.settle();

        assertThatThrownBy(() -> refused.toCompletableFuture().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(BlockLayerException.class);
        assertThat(backend.isQuiesced()).isFalse();
        assertThat(machine.finish(machine.graph.resizeAsync(memory, 4096))).isNull();
    }

    @Test
    @Rule("CTX-13")
    void shouldMakeOtherChangesWaitForATruncateThatTakesLong() {
        HeldDriver slow = new HeldDriver("slow").holding();
        BlockNode node = machine.node("slow", slow);
        BlockBackend backend = machine.movableBackend("disk", node, machine.main);
        CompletionStage<Void> resized = machine.graph.resizeAsync(node, 512);
        machine.settle();
        assertThat(slow.held).hasSize(1);
        machine.main.execute(slow::release);

        backend.setContext(machine.a);

        assertThat(slow.held).isEmpty();
        assertThat(node.context()).isSameAs(machine.a);
        assertThat(resized.toCompletableFuture()).isNotDone();
        machine.finish(resized);
    }

    @Test
    void shouldResizeAgainAndToTheSameLength() {
        BlockBackend backend = machine.backend("disk", memory, machine.main);

        backend.resize(512);
        backend.resize(LENGTH);
        backend.resize(LENGTH);

        assertThat(backend.lengthBytes()).isEqualTo(LENGTH);
    }

    private BlockStatus statusOf(BlockBackend backend, long bytes) {
        Recorder recorder = new Recorder(machine.a);
        backend.port(machine.a).submit(truncate(recorder, bytes));
        machine.settle();
        assertThat(recorder.statuses).hasSize(1);
        return recorder.statuses.get(0);
    }

    private BlockBackend listening(BlockBackend backend) {
        backend.addListener(new BackendListener() {
            @Override
            public void resized() {
                log.add(backend.name() + " " + backend.lengthBytes()
                        + (backend.isQuiesced() ? " quiesced" : " running"));
            }
        });
        return backend;
    }

    private static BlockRequest truncate(Recorder recorder, long bytes) {
        return new BlockRequest(recorder).prepare(Operation.TRUNCATE, bytes, 0, null, 0);
    }
}
