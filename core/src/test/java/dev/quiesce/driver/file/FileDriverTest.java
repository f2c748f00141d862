package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.Workers;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Recorder;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import dev.quiesce.rules.Rule;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class FileDriverTest extends FileFixture {
    @Test
    void shouldReadTheFileAndWriteIntoIt() throws IOException {
        open(LENGTH);

        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(rig.write(1000, bytes(5000))).isEqualTo(BlockStatus.OK);

        System.arraycopy(bytes(5000), 0, content, 1000, 5000);
        assertThat(Files.readAllBytes(path)).isEqualTo(content);
    }

    @Test
    void shouldTouchTheFileOnlyAfterSubmitHasReturned() throws IOException {
        open(LENGTH);
        BlockRequest request = new BlockRequest(new Recorder());

        rig.port().submit(request.prepare(
                Operation.READ, 0, 512, Rig.vectorOf(new byte[512]), 0));

        assertThat(host.transfers).hasValue(0);
        rig.port().settle();
        assertThat(host.transfers).hasValue(1);
    }

    @Test
    @Rule("REQ-28")
    void shouldRoundTheLengthUpAndReadTheTailAsZeroes() throws IOException {
        open(1300);

        assertThat(driver.lengthBytes()).isEqualTo(1536);
        assertThat(driver.fileBytes()).isEqualTo(1300);
        assertThat(rig.read(0, 1536)).isEqualTo(Arrays.copyOf(content, 1536));
        assertThat(rig.read(1300, 236)).containsOnly(0);
        assertThat(Files.size(path)).isEqualTo(1300);
    }

    @Test
    void shouldExtendTheFileByWritesToTheTail() throws IOException {
        open(1300);

        assertThat(rig.write(1400, bytes(100))).isEqualTo(BlockStatus.OK);

        assertThat(Files.size(path)).isEqualTo(1500);
        assertThat(rig.read(1300, 100)).containsOnly(0);
        assertThat(rig.read(1400, 100)).isEqualTo(bytes(100));
        assertThat(rig.read(1500, 36)).containsOnly(0);
        assertThat(driver.lengthBytes()).isEqualTo(1536);
    }

    @Test
    void shouldFailReadsOfWhatWasTruncated() throws IOException {
        open(LENGTH);
        truncate(10_000);

        assertThat(rig.tryRead(8192, 4096)).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.cause()).isInstanceOf(EOFException.class).hasMessageContaining("truncated");
        assertThat(rig.tryRead(LENGTH - 512, 512)).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.read(0, 10_000)).isEqualTo(Arrays.copyOf(content, 10_000));
    }

    @Test
    void shouldFailWritesOnceTruncatedSoThatLostBytesNeverBecomeZeroes() throws IOException {
        open(LENGTH);
        truncate(10_000);

        assertThat(rig.write(LENGTH - 512, bytes(512))).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(rig.run(Operation.WRITE_ZEROES, LENGTH - 512, 512))
                .isEqualTo(BlockStatus.IO_ERROR);

        assertThat(Files.size(path)).isEqualTo(10_000);
        assertThat(rig.tryRead(20_000, 512)).isEqualTo(BlockStatus.IO_ERROR);
    }

    private void truncate(long length) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        }
    }

    @Test
    void shouldRefuseToModifyWhatIsReadOnly() throws IOException {
        create(LENGTH);
        driver = FileDriver.open(FileConfig.readOnly(path), host);
        rig = new Rig(TestNode.of(driver));

        assertThat(driver.limits().readOnly()).isTrue();
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(rig.run(Operation.WRITE_ZEROES, 0, 512)).isEqualTo(BlockStatus.READ_ONLY);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(Files.readAllBytes(path)).isEqualTo(content);
    }

    @Test
    void shouldCarryOnAfterShortReadsAndWrites() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, at) -> shortened(buffer, () -> real.read(buffer, at));
        host.write = (real, buffer, at) -> shortened(buffer, () -> real.write(buffer, at));

        assertThat(rig.write(100, bytes(70_000))).isEqualTo(BlockStatus.OK);
        assertThat(rig.read(100, 70_000)).isEqualTo(bytes(70_000));
        assertThat(rig.run(Operation.WRITE_ZEROES, 50, 70_000)).isEqualTo(BlockStatus.OK);

        assertThat(rig.read(50, 70_000)).containsOnly(0);
    }

    private interface Step {
        int run() throws IOException;
    }

    private static int shortened(ByteBuffer buffer, Step step) throws IOException {
        int limit = buffer.limit();
        buffer.limit(Math.min(limit, buffer.position() + 777));
        try {
            return step.run();
        } finally {
            buffer.limit(limit);
        }
    }

    @Test
    void shouldFailWhenTheHostTakesNoBytes() throws IOException {
        open(LENGTH);
        host.write = (real, buffer, at) -> 0;

        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void shouldSayThatThereIsNoSpace() throws IOException {
        open(LENGTH);
        for (String text : new String[] {
            "No space left on device", "Disk quota exceeded",
            "There is not enough space on the disk"}) {
            IOException full = new IOException(text);
            host.write = (real, buffer, at) -> {
                throw full;
            };

            assertThat(rig.write(0, bytes(512))).as(text).isEqualTo(BlockStatus.NO_SPACE);
            assertThat(rig.cause()).isSameAs(full);
            assertThat(rig.run(Operation.WRITE_ZEROES, 0, 512)).isEqualTo(BlockStatus.NO_SPACE);
        }

        host.write = FileChannel::write;
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldNotTakeABrokenDeviceForAFullOneHoweverMuchIsWritten() throws IOException {
        create(0);
        // Within what any file system takes for a length, however large it is.
        long usable = Math.min(Files.getFileStore(path).getUsableSpace(), 1L << 42);
        long more = 2 * usable + 4096;
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.setLength(more);
        }
        reopen();
        host.write = (real, buffer, at) -> {
            throw new IOException("Input/output error");
        };

        assertThat(rig.run(Operation.WRITE_ZEROES, 0, more / 512 * 512))
                .isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void shouldReportEveryOtherHostFailureAsAnIoError() throws IOException {
        open(LENGTH);
        IOException broken = new IOException("Input/output error");
        host.read = (real, buffer, at) -> {
            throw broken;
        };

        assertThat(rig.tryRead(0, 512)).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(rig.cause()).isSameAs(broken);
    }

    @Test
    void shouldFailOnlyTheRequestWhosePayloadThrows() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, at) -> {
            throw new InternalError("a fault in a mapping");
        };

        assertThat(rig.tryRead(0, 512)).isEqualTo(BlockStatus.IO_ERROR);

        host.read = FileChannel::read;
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
    }

    @Test
    void shouldReachBeyondTheFirstGigabytes() throws IOException {
        create(0);
        truncate(5L << 30);
        reopen();
        long far = (9L << 29) + 512;

        assertThat(rig.write(far, bytes(4096))).isEqualTo(BlockStatus.OK);

        assertThat(rig.read(far - 512, 512)).containsOnly(0);
        assertThat(rig.read(far, 4096)).isEqualTo(bytes(4096));
    }

    @Test
    @Rule("AIO-73")
    void shouldWithdrawACancelledRequestThatNobodyHasBegun() throws IOException {
        open(LENGTH);
        Recorder recorder = new Recorder();
        BlockRequest request = new BlockRequest(recorder);
        rig.port().submit(request.prepare(Operation.WRITE_ZEROES, 0, LENGTH, null, 0));

        request.cancel();
        rig.port().settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
        assertThat(host.transfers).hasValue(0);
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
    }

    @Test
    @Rule("BB-41")
    void shouldStopACancelledRequestBetweenTwoHostCalls() throws Exception {
        create(LENGTH);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        host.write = (real, buffer, at) -> {
            inside.countDown();
            awaitQuietly(cancelled);
            return real.write(buffer, at);
        };
        try (Workers workers = Workers.pool(Thread::new, 0, 1)) {
            driver = FileDriver.open(FileConfig.writable(path), host);
            rig = new Rig(TestNode.of(driver), workers);
            Recorder recorder = new Recorder();
            BlockRequest request = new BlockRequest(recorder);
            rig.port().submit(request.prepare(Operation.WRITE_ZEROES, 0, LENGTH, null, 0));
            inside.await();

            request.cancel();
            cancelled.countDown();
            rig.port().settle();

            assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
            assertThat(host.transfers).hasValue(1);
            close();
        }
    }

    static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
