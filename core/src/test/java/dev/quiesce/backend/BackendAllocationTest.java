package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Completion;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.filter.RawDriver;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockNode;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** I8: from submit to completion nothing is allocated. */
class BackendAllocationTest {
    private static final int ROUNDS = 8;
    private static final int REQUESTS = 20_000;
    private static final int DEPTH = 8;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private Machine machine;

    @BeforeEach
    void build() {
        machine = new Machine();
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }

    @Test
    void shouldAllocateNothingPerRequestOnTheWayToADriver() {
        BlockNode node = machine.node("n", new NullDriver(1 << 20));

        assertThat(leastBytes(machine.backend("disk", node, machine.main))).isZero();
    }

    @Test
    void shouldAllocateNothingPerRequestThroughFilters() {
        BlockNode base = machine.node("n", new NullDriver(1 << 20));
        BlockNode raw = machine.node("raw", new RawDriver(4096, 65536), base);
        BlockNode top = machine.node("f", new PassthroughDriver(), raw);

        assertThat(leastBytes(machine.backend("disk", top, machine.main))).isZero();
    }

    @Test
    void shouldAllocateNothingPerRequestThroughADriverThatTakesOneAtATime() {
        HeldDriver driver = new HeldDriver("d");
        driver.concurrent = false;
        BlockNode node = machine.node("n", driver);

        assertThat(leastBytes(machine.backend("disk", node, machine.main))).isZero();
    }

    /** The best of several rounds: compilers at work may allocate on this thread. */
    private long leastBytes(BlockBackend backend) {
        Pump pump = new Pump(backend.port(machine.main));
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            least = Math.min(least, pump.bytesFor(REQUESTS));
        }
        return least;
    }

    private final class Pump implements Completion {
        private final Port port;
        private final AioContext home;
        private final IoVector payload = Machine.bytes(Machine.SECTOR);
        private final List<BlockRequest> requests = new ArrayList<>();
        private int toSubmit;
        private int toComplete;

        Pump(Port port) {
            this.port = port;
            this.home = port.home();
            for (int i = 0; i < DEPTH; i++) {
                requests.add(new BlockRequest(this));
            }
        }

        long bytesFor(int count) {
            toSubmit = count;
            toComplete = count;
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < DEPTH; i++) {
                submit(requests.get(i));
            }
            while (toComplete > 0) {
                home.poll(0);
            }
            return threads.getCurrentThreadAllocatedBytes() - before;
        }

        @Override
        public void onComplete(BlockRequest request, BlockStatus status) {
            if (status != BlockStatus.OK) {
                throw new AssertionError(status);
            }
            toComplete--;
            if (toSubmit > 0) {
                submit(request);
            }
        }

        private void submit(BlockRequest request) {
            toSubmit--;
            request.prepare(Operation.READ, 0, Machine.SECTOR, payload, 0);
            port.submit(request);
        }
    }
}
