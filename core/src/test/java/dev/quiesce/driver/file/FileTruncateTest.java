package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Recorder;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A file that becomes shorter or longer while it is open. */
class FileTruncateTest extends FileFixture {
    @Test
    @Rule("REQ-44")
    void shouldMakeTheFileExactlyAsLongAsTheNode() throws IOException {
        open(1300);

        assertThat(rig.run(Operation.TRUNCATE, 5000, 0)).isEqualTo(BlockStatus.OK);

        assertThat(driver.lengthBytes()).isEqualTo(5120);
        assertThat(Files.size(path)).isEqualTo(5120);
        assertThat(rig.read(0, 1300)).isEqualTo(content);
        assertThat(rig.read(1300, 5120 - 1300)).containsOnly(0);
        assertThat(rig.run(Operation.TRUNCATE, 512, 0)).isEqualTo(BlockStatus.OK);
        assertThat(Files.size(path)).isEqualTo(512);
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseToTruncateWhatIsReadOnly() throws IOException {
        create(LENGTH);
        driver = FileDriver.open(FileConfig.readOnly(path), host);
        rig = new Rig(TestNode.of(driver));

        assertThat(rig.run(Operation.TRUNCATE, 512, 0)).isEqualTo(BlockStatus.READ_ONLY);

        assertThat(Files.size(path)).isEqualTo(LENGTH);
    }

    @Test
    @Rule("REQ-46")
    void shouldRefuseALengthThatCannotBeRoundedUp() throws IOException {
        open(LENGTH);

        assertThat(rig.run(Operation.TRUNCATE, Long.MAX_VALUE, 0)).isEqualTo(BlockStatus.INVALID);

        assertThat(driver.lengthBytes()).isEqualTo(LENGTH);
    }

    @Test
    @Rule("REQ-44")
    void shouldKeepItsLengthWhenTheHostRefusesAnother() throws IOException {
        open(LENGTH);
        host.setLength = bytes -> {
            throw new IOException("No space left on device");
        };

        assertThat(rig.run(Operation.TRUNCATE, LENGTH * 2, 0)).isEqualTo(BlockStatus.NO_SPACE);
        assertThat(rig.run(Operation.TRUNCATE, 512, 0)).isEqualTo(BlockStatus.NO_SPACE);

        assertThat(driver.lengthBytes()).isEqualTo(LENGTH);
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(rig.write(LENGTH - 512, bytes(512))).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-44")
    void shouldNotTurnLostBytesIntoZeroesByGrowing() throws IOException {
        open(LENGTH);
        cutFromOutside(10_000);

        assertThat(rig.run(Operation.TRUNCATE, LENGTH * 2, 0)).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(Files.size(path)).isEqualTo(10_000);
        assertThat(rig.tryRead(20_000, 512)).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    @Rule("REQ-44")
    void shouldNotTurnLostBytesIntoZeroesByCutting() throws IOException {
        open(LENGTH);
        cutFromOutside(10_240);

        assertThat(rig.run(Operation.TRUNCATE, 40_960, 0)).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(Files.size(path)).isEqualTo(10_240);
        assertThat(driver.lengthBytes()).isEqualTo(LENGTH);
        assertThat(rig.tryRead(20_480, 512)).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseAReadThatACutOvertakes() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, position) -> {
            driver.truncate(512);
            return real.read(buffer, position);
        };

        assertThat(rig.tryRead(8192, 512)).isEqualTo(BlockStatus.INVALID);

        assertThat(rig.cause()).isNull();
        host.read = FileChannel::read;
        assertThat(rig.read(0, 512)).isEqualTo(Arrays.copyOf(content, 512));
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseAReadThatBeginsWhereACutWasMeanwhile() throws IOException {
        open(LENGTH);
        Recorder recorder = new Recorder();
        BlockRequest request = new BlockRequest(recorder).prepare(
                Operation.READ, 8192, 512, Rig.vectorOf(new byte[512]), 0);

        rig.port().submit(request);
        driver.truncate(512);
        rig.port().settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.INVALID);
    }

    @Test
    @Rule("REQ-44")
    void shouldGoOnReadingWhatWasCutAndAddedAgain() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, position) -> {
            host.read = FileChannel::read;
            driver.truncate(512);
            int count = real.read(buffer, position);
            driver.truncate(LENGTH);
            return count;
        };

        assertThat(rig.read(8192, 512)).containsOnly(0);
    }

    @Test
    @Rule("REQ-44")
    void shouldStayCutWhenALateWriteEndsBehindTheCut() throws IOException {
        open(LENGTH);
        truncateBeforeTheNextWrite(512);

        assertThat(rig.write(8192, bytes(512))).isEqualTo(BlockStatus.OK);

        expectLengthEverywhere(512);
    }

    @Test
    @Rule("REQ-44")
    void shouldStayCutWhenALateWriteFailsBehindTheCut() throws IOException {
        open(LENGTH);
        host.write = (real, buffer, position) -> {
            driver.truncate(512);
            real.write(buffer, position);
            throw new IOException("Input/output error");
        };

        assertThat(rig.write(8192, bytes(512))).isEqualTo(BlockStatus.IO_ERROR);

        host.write = FileChannel::write;
        expectLengthEverywhere(512);
    }

    @Test
    @Rule("REQ-44")
    void shouldStayCutWhenLateZeroesEndBehindTheCut() throws IOException {
        open(LENGTH);
        truncateBeforeTheNextWrite(512);

        assertThat(rig.run(Operation.WRITE_ZEROES, 8192, 512)).isEqualTo(BlockStatus.OK);

        expectLengthEverywhere(512);
    }

    private void truncateBeforeTheNextWrite(long bytes) {
        host.write = (real, buffer, position) -> {
            host.write = FileChannel::write;
            driver.truncate(bytes);
            return real.write(buffer, position);
        };
    }

    private void expectLengthEverywhere(long bytes) throws IOException {
        assertThat(driver.lengthBytes()).isEqualTo(bytes);
        assertThat(driver.fileBytes()).isEqualTo(bytes);
        assertThat(Files.size(path)).isEqualTo(bytes);
        reopen();
        assertThat(driver.lengthBytes()).isEqualTo(bytes);
    }

    @Test
    @Rule("REQ-44")
    void shouldReadZeroesEvenWhereALateWriteEndedBehindTheCut() throws IOException {
        open(LENGTH);
        rig.run(Operation.TRUNCATE, 8192, 0);
        try (FileChannel late = FileChannel.open(path, StandardOpenOption.WRITE)) {
            late.write(ByteBuffer.wrap(bytes(4096)), 8192);
        }

        assertThat(rig.run(Operation.TRUNCATE, 16_384, 0)).isEqualTo(BlockStatus.OK);

        assertThat(rig.read(8192, 8192)).containsOnly(0);
        assertThat(rig.read(0, 8192)).isEqualTo(Arrays.copyOf(content, 8192));
    }

    @Test
    @Rule("REQ-44")
    void shouldStayWritableWhenAWriteWasUnderWayBehindTheCut() throws IOException {
        open(1300);
        host.write = (real, buffer, position) -> {
            int count = real.write(buffer, position);
            driver.truncate(512);
            return count;
        };
        assertThat(rig.write(1024, bytes(512))).isEqualTo(BlockStatus.OK);
        host.write = FileChannel::write;

        assertThat(driver.lengthBytes()).isEqualTo(512);
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
        assertThat(rig.tryRead(1024, 512)).isEqualTo(BlockStatus.INVALID);
    }

    @Test
    @Rule("REQ-44")
    void shouldNotTakeACutForAnAccident() throws IOException {
        open(LENGTH);
        host.size = real -> {
            host.size = again -> { };
            driver.truncate(8192);
        };

        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-44")
    void shouldFlushItsNewLengthAsWell() throws IOException {
        open(LENGTH);
        rig.flush();
        int before = host.metadataForces.get();

        rig.run(Operation.TRUNCATE, 8192, 0);
        rig.flush();

        assertThat(host.metadataForces.get()).isEqualTo(before + 1);
    }

    @Test
    @Rule("REQ-44")
    void shouldFlushItsNewLengthThoughAFlushCameInBetween() throws IOException {
        open(LENGTH);
        host.setLength = bytes -> {
            host.setLength = again -> { };
            driver.image().flush();
        };
        rig.run(Operation.TRUNCATE, 8192, 0);
        int before = host.metadataForces.get();

        rig.flush();

        assertThat(host.metadataForces.get()).isEqualTo(before + 1);
    }

    @Test
    void shouldWithdrawATruncateThatNoWorkerHasBegun() throws IOException {
        open(LENGTH);
        Recorder recorder = new Recorder();
        BlockRequest request = new BlockRequest(recorder)
                .prepare(Operation.TRUNCATE, 512, 0, null, 0);

        rig.port().submit(request);
        request.cancel();
        rig.port().settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
        assertThat(driver.lengthBytes()).isEqualTo(LENGTH);
    }

    private void cutFromOutside(long length) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(length);
        }
    }
}
