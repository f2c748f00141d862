package dev.quiesce.scsi.disk;

import static dev.quiesce.scsi.disk.DiskRig.BLOCK;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.CdbFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever a guest sends is answered once, and nothing throws. */
class DiskFuzzTest {
    private static final int ROUNDS = 20_000;

    @Test
    @Rule("CMD-1")
    @Rule("CMD-13")
    @Rule("SBUG-15")
    void shouldAnswerAnyCdbWithAnyBuffersOnce() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (DiskRig rig = new DiskRig()) {
            for (int i = 0; i < ROUNDS; i++) {
                byte[] out = bytes(random, bufferBytes(random));
                int in = bufferBytes(random);
                int[] cdb = cdb(random);
                String what = "seed " + seed + ", round " + i;

                ScsiRequest request = run(rig, what, out, in, cdb);

                FakeHba.Answer answer = rig.hba.answerTo(request);
                assertThat(answer.cause()).as(what).isNull();
                assertThat(answer.residual()).as(what).isBetween(0L, (long) out.length + in);
                rig.hba.pushed.clear();
                rig.hba.published.clear();
                rig.driver.log.clear();
            }
        }
    }

    private static ScsiRequest run(DiskRig rig, String what, byte[] out, int in, int[] cdb) {
        try {
            return rig.run(out, in, cdb);
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(what, e);
        }
    }

    private static int bufferBytes(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> BLOCK;
            case 2 -> random.nextInt(64);
            default -> random.nextInt(8 * BLOCK);
        };
    }

    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        if (random.nextBoolean()) {
            random.nextBytes(bytes);
        }
        return bytes;
    }

    /** Random bytes, or a known command with small random fields, so that much of it is valid. */
    private static int[] cdb(Random random) {
        if (random.nextInt(4) == 0) {
            return random.ints(random.nextInt(20), 0, 256).toArray();
        }
        CdbFormat[] all = CdbFormat.values();
        byte[] known = all[1 + random.nextInt(all.length - 1)].newCdb();
        int[] cdb = new int[known.length];
        for (int i = 0; i < cdb.length; i++) {
            boolean keep = i == 0 || random.nextInt(3) > 0;
            cdb[i] = keep ? known[i] & 0xFF : random.nextInt(random.nextInt(3) == 0 ? 256 : 9);
        }
        return cdb;
    }
}
