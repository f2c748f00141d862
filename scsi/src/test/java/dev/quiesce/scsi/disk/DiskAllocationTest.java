package dev.quiesce.scsi.disk;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quiesce.block.IoVector;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.ScsiRequest;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class DiskAllocationTest implements HostAdapter {
    private static final int WARM_UP = 3000;
    private static final int ROUNDS = 1000;
    private static final int ATTEMPTS = 5;

    private long answers;

    @Test
    @Rule("I8")
    void shouldAllocateNothingPerReadAndWrite() {
        try (DiskRig rig = new DiskRig()) {
            byte[] read = FakeHba.bytes(DiskRig.read10(0, 8));
            byte[] write = FakeHba.bytes(DiskRig.write10(8, 8));
            IoVector none = new IoVector();
            IoVector data = new IoVector();
            data.add(ByteBuffer.allocate(4096), 0, 4096);
            ScsiRequest request = new ScsiRequest(this);
            rig.driver.logs = false;
            Runnable round = () -> {
                request.prepare(rig.rig.a, 1, read, 10).withData(none, data);
                rig.disk.execute(request);
                rig.rig.a.poll(0);
                request.prepare(rig.rig.a, 2, write, 10).withData(data, none);
                rig.disk.execute(request);
                rig.rig.a.poll(0);
            };

            long least = Long.MAX_VALUE;
            for (int i = 0; i < ATTEMPTS && least > 0; i++) {
                least = Math.min(least, bytesOf(round));
            }

            assertThat(least).as("bytes allocated by %d rounds", ROUNDS).isZero();
            assertThat(answers).isPositive().isEven();
        }
    }

    @Override
    public void complete(ScsiRequest request) {
        answers++;
    }

    @Override
    public void cancelled(ScsiRequest request) {
        throw new AssertionError("cancelled");
    }

    private static long bytesOf(Runnable round) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < WARM_UP; i++) {
            round.run();
        }
        threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
