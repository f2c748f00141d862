package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.graph.BlockGraph;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A backend whose main context is gone. */
class OrphanedBackendTest {
    @Test
    void shouldCompleteATruncateThoughNobodyIsLeftToHearOfIt() {
        List<String> errors = new ArrayList<>();
        LoopSeams seams = LoopSeams.system().withErrors(
                (context, site, cause) -> errors.add(context.name() + ": " + site));
        AioContext main = new AioContext("main", seams);
        AioContext other = new AioContext("other", seams);
        Lease mainLease = main.acquire();
        Lease otherLease = other.acquire();
        BlockGraph graph = new BlockGraph(main);
        HeldDriver driver = new HeldDriver("held").holding();
        BlockBackend backend = BlockBackend.create(
                graph, BackendConfig.named("disk"), graph.add("node", driver), main);
        Recorder recorder = new Recorder(other);
        backend.port(other).submit(new BlockRequest(recorder)
                .prepare(Operation.TRUNCATE, 512, 0, null, 0));
        main.close();

        driver.release();
        other.poll(0);

        assertThat(recorder.statuses).containsExactly(BlockStatus.OK);
        assertThat(backend.gate().isSettled()).isTrue();
        assertThat(errors).containsExactly("main: news of a truncate of 'disk'");
        otherLease.close();
        mainLease.close();
    }
}
