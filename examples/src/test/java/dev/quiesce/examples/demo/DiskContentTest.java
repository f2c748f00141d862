package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskContentTest {
    private static final long REGION_BYTES = 1 << 20;

    @TempDir
    private Path directory;

    @Test
    void shouldUseEveryByteOfADiskThatFits() throws IOException {
        DiskContent content = contentOf(5_000 * 512 + 512, Long.MAX_VALUE);

        int last = content.blocks() - 1;
        assertThat(content.offsetBytes(last)).isEqualTo(last * 4096L);
        assertThat(content.offsetBytes(last) + content.bytes(last, 1)).isEqualTo(5_001 * 512);
        assertThat(content.blocksTogether(0)).isEqualTo(content.blocks());
    }

    @Test
    void shouldFindAByteThatDiffersInTheShortLastBlock() throws IOException {
        DiskContent content = contentOf(4096 + 512, Long.MAX_VALUE);
        byte[] read = new byte[4096 + 512];

        assertThat(content.firstMismatch(0, 2, read)).isEqualTo(-1);
        read[4096 + 511] = 1;
        assertThat(content.firstMismatch(0, 2, read)).isEqualTo(4096 + 511);
    }

    @Test
    void shouldSpreadRegionsOverADiskThatIsLargerThanWhatMayBeWritten() throws IOException {
        long diskBytes = 10_000 * REGION_BYTES + 512;
        DiskContent content = contentOf(diskBytes, 100 * REGION_BYTES);

        Set<Long> regions = new HashSet<>();
        for (int block = 0; block < content.blocks(); block++) {
            assertThat(content.offsetBytes(block)).isLessThan(diskBytes);
            assertThat(content.bytes(block, 1)).isEqualTo(4096);
            regions.add(content.offsetBytes(block) / REGION_BYTES);
        }

        assertThat(regions).hasSize(100).contains(0L);
        assertThat(content.offsetBytes(content.blocks() - 1)).isGreaterThan(diskBytes * 9 / 10);
        assertThat(content.blocksTogether(255)).isEqualTo(1);
        assertThat(content.blocksTogether(256)).isEqualTo(256);
    }

    private DiskContent contentOf(long diskBytes, long writableBytes) throws IOException {
        Path empty = Files.createFile(directory.resolve("empty"));
        try (FileChannel image = FileChannel.open(empty)) {
            return new DiskContent(image, diskBytes, writableBytes);
        }
    }
}
