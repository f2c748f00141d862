package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.WorkItem;
import dev.quiesce.aio.Workers;
import dev.quiesce.block.IoVector;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guest memory that is truncated while a worker fills it. */
class FileLateFaultTest {
    private static final int PAGE = 4096;

    @TempDir
    private Path directory;

    /** So that no compiler knows the length of what is allocated to enter the runtime. */
    private volatile int one = 1;

    @Test
    @Rule("I7")
    void shouldFailTheItemInWhichMemoryVanishedAndKeepTheWorker() throws IOException {
        List<Throwable> reports = new ArrayList<>();
        try (Workers pool = Workers.pool(Thread::new, 1, 1)) {
            AioContext context = new AioContext("main", LoopSeams.system().withWorkers(pool)
                    .withErrors((at, site, cause) -> reports.add(cause)));
            Lease lease = context.acquire();
            ByteBuffer vanished = vanished();

            Throwable failure = run(context, () -> filled(vanished).fillZero(0, PAGE));
            Throwable next = run(context, () -> filled(ByteBuffer.allocateDirect(PAGE))
                    .fillZero(0, PAGE));

            assertThat(failure).isInstanceOf(InternalError.class);
            assertThat(next).isNull();
            assertThat(reports).isEmpty();
            lease.close();
        }
    }

    /** A page of a file that is no longer that long. */
    private ByteBuffer vanished() throws IOException {
        Path file = Files.write(directory.resolve("ram"), new byte[PAGE]);
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ByteBuffer mapped = ram.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, PAGE);
            ram.setLength(0);
            return mapped;
        }
    }

    private IoVector filled(ByteBuffer memory) {
        IoVector vector = new IoVector();
        vector.add(memory, 0, memory.limit());
        vector.surfaceFaultsBy(() -> {
            byte[][] entered = new byte[one][one];
            assertThat(entered.length).isEqualTo(one);
        });
        return vector;
    }

    /** {@return what the work has thrown} */
    private static Throwable run(AioContext context, Runnable work) {
        boolean[] back = new boolean[1];
        WorkItem item = new WorkItem() {
            @Override
            protected void work() {
                work.run();
            }

            @Override
            protected void run() {
                back[0] = true;
            }
        };
        context.workers().submit(context, item);
        ControlWait.until(context, new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return back[0];
            }

            @Override
            public void describe(WaitReport out) {
                // A worker has it.
            }
        });
        return item.failure();
    }
}
