package dev.quiesce.scsi.disk;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.Rig;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.Arrays;
import java.util.function.Consumer;

/** A disk on a real backend, with one command at a time or many. */
final class DiskRig implements AutoCloseable {
    static final int BLOCK = 512;
    static final long LENGTH_BYTES = 1 << 20;

    final Rig rig = new Rig();
    final FakeHba hba = new FakeHba();
    final BlockGraph graph = new BlockGraph(rig.main);
    final TestDriver driver = new TestDriver(LENGTH_BYTES);
    final BlockBackend backend;
    final ScsiDisk disk;

    DiskRig() {
        this(ScsiDiskConfig.of("serial-1"));
    }

    DiskRig(ScsiDiskConfig config) {
        this(config, driver -> {});
    }

    DiskRig(ScsiDiskConfig config, Consumer<TestDriver> setUp) {
        setUp.accept(driver);
        backend = BlockBackend.create(graph, BackendConfig.named("disk"),
                graph.add("data", driver), rig.main);
        disk = new ScsiDisk(backend, config);
    }

    /** Executes in context a and runs until nothing happens. */
    ScsiRequest run(byte[] out, int inBytes, int... cdb) {
        ScsiRequest request = start(rig.a, out, inBytes, cdb);
        rig.settle();
        return request;
    }

    ScsiRequest start(AioContext home, byte[] out, int inBytes, int... cdb) {
        ScsiRequest request = hba.request(home, out, inBytes, cdb);
        disk.execute(request);
        return request;
    }

    FakeHba.Answer answer(byte[] out, int inBytes, int... cdb) {
        return hba.answerTo(run(out, inBytes, cdb));
    }

    /** The sense of a command that must fail. */
    Sense senseOf(byte[] out, int inBytes, int... cdb) {
        FakeHba.Answer answer = answer(out, inBytes, cdb);
        if (answer.status() != ScsiStatus.CHECK_CONDITION) {
            throw new AssertionError("no sense: " + answer);
        }
        return answer.sense();
    }

    /** Data of a command that must succeed: the bytes moved. */
    byte[] data(int inBytes, int... cdb) {
        ScsiRequest request = run(new byte[0], inBytes, cdb);
        FakeHba.Answer answer = hba.answerTo(request);
        if (answer.status() != ScsiStatus.GOOD) {
            throw new AssertionError(answer);
        }
        return FakeHba.dataIn(request, (int) (inBytes - answer.residual()));
    }

    void good(byte[] out, int... cdb) {
        FakeHba.Answer answer = answer(out, 0, cdb);
        if (answer.status() != ScsiStatus.GOOD) {
            throw new AssertionError(answer);
        }
    }

    byte[] read(long lba, int blocks) {
        return data(blocks * disk.blockSizeBytes(), read10(lba, blocks));
    }

    void write(long lba, byte[] content) {
        good(content, write10(lba, content.length / disk.blockSizeBytes()));
    }

    static byte[] filled(int length, int value) {
        byte[] content = new byte[length];
        Arrays.fill(content, (byte) value);
        return content;
    }

    static int[] read10(long lba, int blocks) {
        return ten(0x28, 0, lba, blocks);
    }

    static int[] write10(long lba, int blocks) {
        return ten(0x2A, 0, lba, blocks);
    }

    static int[] ten(int opcode, int flags, long lba, int blocks) {
        int at = (int) lba;
        return new int[] {opcode, flags, at >>> 24, at >>> 16, at >>> 8, at, 0,
            blocks >>> 8, blocks, 0};
    }

    static int[] sixteen(int opcode, int flags, long lba, int blocks) {
        int[] cdb = new int[16];
        cdb[0] = opcode;
        cdb[1] = flags;
        for (int i = 0; i < 8; i++) {
            cdb[2 + i] = (int) (lba >>> (56 - 8 * i));
        }
        for (int i = 0; i < 4; i++) {
            cdb[10 + i] = blocks >>> (24 - 8 * i);
        }
        return cdb;
    }

    /** A MODE SELECT parameter list with the caching page, for a CDB of 15 10 00 00 18 00. */
    static byte[] cachingPage(boolean writeCache) {
        byte[] list = new byte[24];
        list[4] = 0x08;
        list[5] = 0x12;
        list[6] = (byte) (writeCache ? 0x04 : 0);
        return list;
    }

    @Override
    public void close() {
        driver.releaseAll();
        rig.settle();
        disk.close();
        backend.close();
        graph.remove(graph.find("data"));
        graph.close();
        rig.close();
    }
}
