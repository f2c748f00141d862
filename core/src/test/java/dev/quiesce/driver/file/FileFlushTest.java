package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.Spin;
import dev.quiesce.aio.Workers;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Recorder;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class FileFlushTest extends FileFixture {
    private final IOException broken = new IOException("Input/output error");

    @Test
    @Rule("REQ-34")
    void shouldForceForEveryFlush() throws IOException {
        open(LENGTH);
        rig.write(0, bytes(512));

        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);

        assertThat(host.forces).hasValue(2);
    }

    /** It may have been applied in part, and the guest may know: every flush forces. */
    @Test
    @Rule("REQ-32")
    void shouldForceWhatAWriteLeftThatFailed() throws IOException {
        open(LENGTH);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
        host.write = (real, buffer, position) -> {
            throw broken;
        };
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);

        assertThat(host.forces).hasValue(2);
    }

    @Test
    @Rule("REQ-31")
    void shouldForceAfterAWriteThatMustBeDurable() throws IOException {
        open(LENGTH);

        assertThat(rig.writeFua(0, bytes(512))).isEqualTo(BlockStatus.OK);
        assertThat(rig.run(Operation.WRITE_ZEROES, 0, 512, null, BlockRequest.FUA))
                .isEqualTo(BlockStatus.OK);

        assertThat(host.forces).hasValue(2);
    }

    @Test
    void shouldForceTheMetadataOnlyAfterTheFileGrew() throws IOException {
        open(1300);
        rig.write(0, bytes(512));
        rig.flush();
        assertThat(host.metadataForces).hasValue(0);

        rig.write(1024, bytes(512));
        rig.flush();
        rig.flush();

        assertThat(host.forces).hasValue(3);
        assertThat(host.metadataForces).hasValue(1);
    }

    @Test
    @Rule("REQ-31")
    void shouldKeepFailingOnceAFlushHasLostData() throws IOException {
        open(LENGTH);
        host.force = real -> {
            throw broken;
        };
        assertThat(rig.flush()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.cause()).isSameAs(broken);
        host.force = real -> { };

        assertThat(rig.flush()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.cause()).hasCause(broken);
        assertThat(rig.writeFua(0, bytes(512))).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
        assertThat(host.forces).hasValue(1);

        reopen();
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldSayThatThereIsNoSpaceWhenTheHostNoticesLate() throws IOException {
        open(LENGTH);
        host.force = real -> {
            throw new IOException("No space left on device");
        };

        assertThat(rig.flush()).isEqualTo(BlockStatus.NO_SPACE);
        assertThat(rig.flush()).isEqualTo(BlockStatus.NO_SPACE);
    }

    @Test
    @Rule("REQ-33")
    @Rule("REQ-34")
    @Rule("REQ-35")
    void shouldShareOneForceAmongFlushesThatWaitedForIt() throws Exception {
        List<BlockStatus> statuses = flushThreeWhileTheFirstIsHeld(null);

        assertThat(statuses).containsOnly(BlockStatus.OK).hasSize(3);
        assertThat(host.forces).hasValue(2);
    }

    @Test
    @Rule("REQ-33")
    void shouldFailEveryFlushThatWaitedForOneThatFailed() throws Exception {
        List<BlockStatus> statuses = flushThreeWhileTheFirstIsHeld(broken);

        assertThat(statuses).containsOnly(BlockStatus.IO_ERROR).hasSize(3);
        assertThat(host.forces).hasValue(1);
    }

    private List<BlockStatus> flushThreeWhileTheFirstIsHeld(IOException failure) throws Exception {
        create(LENGTH);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        host.force = real -> {
            inside.countDown();
            FileDriverTest.awaitQuietly(go);
            if (failure != null) {
                throw failure;
            }
        };
        Recorder recorder = new Recorder();
        List<BlockRequest> flushes = new ArrayList<>();
        try (Workers workers = Workers.pool(Thread::new, 0, 3)) {
            driver = FileDriver.open(FileConfig.writable(path), host);
            rig = new Rig(TestNode.of(driver), workers);
            for (int i = 0; i < 3; i++) {
                flushes.add(new BlockRequest(recorder)
                        .prepare(Operation.FLUSH, 0, 0, null, 0));
            }
            rig.port().submit(flushes.get(0));
            inside.await();
            rig.port().submit(flushes.get(1));
            rig.port().submit(flushes.get(2));
            FileDriver waitedFor = driver;
            Spin.until(() -> waitedFor.image().flushesWaiting() >= 2, "two flushes wait");
            go.countDown();
            rig.port().settle();
            close();
        }
        return recorder.statuses();
    }
}
