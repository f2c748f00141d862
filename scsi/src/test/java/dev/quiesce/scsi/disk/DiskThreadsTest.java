package dev.quiesce.scsi.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.block.IoVector;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.ScsiRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Two threads execute commands without a pause while a third resets, drains, unplugs and plugs. */
class DiskThreadsTest {
    private static final int ROUNDS = 150;
    private static final int DEPTH = 8;
    private static final ScsiAddress ADDRESS = new ScsiAddress(0, 0);

    private final AioContext main = new AioContext("main", LoopSeams.system());

    @Test
    @Rule("PURGE-2")
    @Rule("PURGE-14")
    @Rule("SCSI-6")
    @Rule("VSCSI-38")
    @Rule("DP-38")
    @Rule("DP-39")
    @Rule("SCHED-16")
    void shouldAnswerEveryCommandOnceWhileUnitsAreResetAndReplaced() {
        Lease lease = main.acquire();
        try (IoThread a = thread("a");
                IoThread b = thread("b")) {
            BlockGraph graph = new BlockGraph(main);
            BlockBackend backend = BlockBackend.create(graph, BackendConfig.named("disk"),
                    graph.add("data", new MemoryDriver(1 << 20)), main);
            ScsiDisk disk = new ScsiDisk(backend, ScsiDiskConfig.of("threads"));
            ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
            bus.plug(disk, ADDRESS).toCompletableFuture().join();
            List<Queue> queues = List.of(new Queue(bus, a.context()), new Queue(bus, b.context()));
            queues.forEach(Queue::begin);
            await(() -> queues.stream().allMatch(queue -> queue.answers.get() > 0));

            for (int round = 0; round < ROUNDS; round++) {
                upset(bus, disk, round);
            }
            queues.forEach(queue -> queue.stopping = true);
            await(() -> queues.stream().allMatch(queue -> queue.running.get() == 0));

            assertThat(queues).allSatisfy(queue -> assertThat(queue.faults).isEmpty());
            assertThat(queues).allSatisfy(queue -> assertThat(queue.answers.get()).isPositive());
            assertThat(disk.walksAwaited()).isPositive();
            bus.unplugBlocking(ADDRESS);
            disk.close();
            backend.close();
            graph.close();
        } finally {
            lease.close();
        }
    }

    private void upset(ScsiBus bus, ScsiDisk disk, int round) {
        switch (round % 3) {
            case 0 -> {
                disk.reset();
                assertThat(disk.cancellingRequests()).isZero();
            }
            case 1 -> disk.purge(CancelCause.RESET, null);
            default -> {
                bus.unplugBlocking(ADDRESS);
                assertThat(disk.listedRequests()).isZero();
                assertThat(disk.gate().isSettled()).isTrue();
                bus.plug(disk, ADDRESS).toCompletableFuture().join();
            }
        }
    }

    private IoThread thread(String name) {
        return IoThread.start(new IoThreadConfig(
                name, Executors.defaultThreadFactory(), LoopSeams.system(), true));
    }

    private void await(BooleanSupplier condition) {
        ControlWait.until(main, new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return condition.getAsBoolean();
            }

            @Override
            public void describe(WaitReport out) {}
        });
    }

    /** Keeps a number of requests under way in one context, each executed again when it ends. */
    private final class Queue implements HostAdapter {
        private final ScsiBus bus;
        private final AioContext home;
        private final AtomicInteger running = new AtomicInteger();
        private final AtomicInteger answers = new AtomicInteger();
        private final List<String> faults = new ArrayList<>();
        private final IoVector none = new IoVector();
        private final IoVector room = new IoVector();
        private volatile boolean stopping;

        Queue(ScsiBus bus, AioContext home) {
            this.bus = bus;
            this.home = home;
            room.add(ByteBuffer.allocate(4096), 0, 4096);
        }

        void begin() {
            running.set(DEPTH);
            for (int i = 0; i < DEPTH; i++) {
                long tag = i;
                home.execute(() -> issue(new ScsiRequest(this), tag));
            }
        }

        @Override
        public void complete(ScsiRequest request) {
            again(request);
        }

        @Override
        public void cancelled(ScsiRequest request) {
            again(request);
        }

        private void again(ScsiRequest request) {
            if (answers.incrementAndGet() == 1) {
                main.wake(); // The test waits until every queue is under way.
            }
            if (!home.isHome() || request.isListed()) {
                faults.add("answered elsewhere or while listed: " + request);
            }
            home.execute(() -> issue(request, request.tag()));
        }

        private void issue(ScsiRequest request, long tag) {
            if (stopping) {
                running.decrementAndGet();
                main.wake();
                return;
            }
            int[] cdb = tag % 2 == 0 ? DiskRig.read10(tag, 8) : new int[6];
            request.prepare(home, tag, FakeHba.bytes(cdb), cdb.length).withData(none, room);
            LogicalUnit unit = bus.find(0, 0);
            if (unit == null) {
                home.execute(() -> issue(request, tag));
            } else {
                unit.execute(request);
            }
        }
    }
}
