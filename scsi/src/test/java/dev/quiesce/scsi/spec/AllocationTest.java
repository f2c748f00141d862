package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.command;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quiesce.rules.Rule;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class AllocationTest {
    private static final int ROUNDS = 100_000;
    private static final byte[][] COMMANDS = {
        command("08 00 0001 08"), command("2A 18 00000010 00 0008"),
        command("88 00 0000000000000010 00000008"), command("AA 00 00000010 00000008"),
        command("93 08 0000000000000010 00000008"), command("35"),
        command("42 00 0000000000 0018")};

    private long sink;

    private void run(Cdb cdb, byte[] room) {
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = COMMANDS[round % COMMANDS.length];
            if (cdb.parse(bytes, bytes.length, 512) == null && cdb.isInRange(1024)) {
                sink += cdb.lba() + cdb.transferBytes() + (cdb.fua() ? 1 : 0);
                sink += cdb.checkProtection(true) == null ? 1 : 0;
            }
            sink += Sense.INVALID_FIELD_IN_CDB.encode((round & 1) == 0, room);
            sink += LunAddress.decode(room, 0);
        }
    }

    @Test
    @Rule("CMD-3")
    void shouldAllocateNothingPerCommand() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Cdb cdb = new Cdb();
        byte[] room = new byte[32];
        run(cdb, room);

        long before = threads.getCurrentThreadAllocatedBytes();
        run(cdb, room);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated).isLessThan(ROUNDS);
        assertThat(sink).isNotZero();
    }
}
