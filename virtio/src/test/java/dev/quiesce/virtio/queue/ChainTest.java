package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.RawRing.NEXT;
import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.memory.SegmentSink;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading and writing what was popped, across descriptor borders. */
class ChainTest {

    private static final int[] READABLE = {8, 1, 16, 3, 64};
    private static final int[] WRITABLE = {1, 1, 1, 18, 7};

    private final RawRing ring = new RawRing(16);
    private final Chain chain = new Chain();

    @TempDir private Path directory;

    @BeforeEach
    void popAChainOfManySegments() {
        int index = 0;
        for (int length : READABLE) {
            ring.fill(buffer(index), 256, 0xee);
            ring.descriptor(index, buffer(index), length, NEXT, index + 1);
            index++;
        }
        for (int length : WRITABLE) {
            ring.fill(buffer(index), 256, 0xee);
            int flags = WRITE | (index < 9 ? NEXT : 0);
            ring.descriptor(index, buffer(index), length, flags, index + 1);
            index++;
        }
        int value = 0;
        for (int i = 0; i < READABLE.length; i++) {
            for (int at = 0; at < READABLE[i]; at++) {
                ring.write(buffer(i) + at, (byte) value++);
            }
        }
        ring.offer(0);
        ring.queue(0).pop(chain);
    }

    @Test
    @Rule("RVQ-T20")
    void shouldCopyAnyPartOutOfTheReadablePart() {
        int total = Arrays.stream(READABLE).sum();
        for (int offset = 0; offset <= total; offset++) {
            for (int length = 0; length <= total - offset; length++) {
                byte[] copy = new byte[length + 2];

                assertThat(chain.copyFromReadable(offset, copy, 1, length)).isTrue();

                for (int i = 0; i < length; i++) {
                    assertThat(copy[i + 1]).isEqualTo((byte) (offset + i));
                }
                assertThat(copy[0]).isZero();
                assertThat(copy[length + 1]).isZero();
            }
        }
    }

    @Test
    @Rule("RVQ-T20")
    void shouldCopyAnyPartIntoTheWritablePart() {
        Random random = new Random(1);
        int total = Arrays.stream(WRITABLE).sum();
        byte[] expected = new byte[total];
        Arrays.fill(expected, (byte) 0xee);
        for (int round = 0; round < 200; round++) {
            int offset = random.nextInt(total + 1);
            int length = random.nextInt(total - offset + 1);
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            System.arraycopy(bytes, 0, expected, offset, length);

            assertThat(chain.copyToWritable(offset, bytes, 0, length)).isTrue();

            assertThat(writableBytes()).isEqualTo(expected);
        }
        for (int i = 0; i < WRITABLE.length; i++) {
            assertThat(ring.read(buffer(5 + i) + WRITABLE[i], 1)).containsExactly(0xee);
        }
    }

    @Test
    @Rule("RVQ-T20")
    void shouldCopyNothingBeyondAPart() {
        byte[] bytes = new byte[100];

        assertThat(chain.copyFromReadable(0, bytes, 0, 93)).isFalse();
        assertThat(chain.copyFromReadable(92, bytes, 0, 1)).isFalse();
        assertThat(chain.copyFromReadable(-1, bytes, 0, 1)).isFalse();
        assertThat(chain.copyFromReadable(Long.MAX_VALUE, bytes, 0, 1)).isFalse();
        assertThat(chain.copyToWritable(0, bytes, 0, 29)).isFalse();
        assertThat(chain.copyToWritable(28, bytes, 0, 1)).isFalse();

        assertThat(bytes).containsOnly(0);
        assertThat(writableBytes()).containsOnly(0xee);
        assertThatThrownBy(() -> chain.copyFromReadable(0, bytes, 99, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    @Rule("RVQ-T20")
    void shouldEnumerateASubRangeAsSegments() {
        List<Integer> lengths = new ArrayList<>();
        SegmentSink sink = (base, offset, length) -> lengths.add(length);

        assertThat(chain.readable(7, 20, sink)).isTrue();
        assertThat(lengths).containsExactly(1, 1, 16, 2);
        lengths.clear();
        assertThat(chain.writable(0, 28, sink)).isTrue();
        assertThat(lengths).containsExactly(1, 1, 1, 18, 7);
        lengths.clear();
        assertThat(chain.writable(3, 0, sink)).isTrue();
        assertThat(chain.writable(20, 9, sink)).isFalse();
        assertThat(chain.readable(0, -1, sink)).isFalse();
        assertThat(lengths).isEmpty();
        assertThat(chain.readable(0, 92, (base, offset, length) -> false)).isFalse();
    }

    @Test
    void shouldForgetEverythingWhenCleared() {
        chain.clear();

        assertThat(chain.head()).isEqualTo(Virtqueue.NOTHING);
        assertThat(chain.readableBytes()).isZero();
        assertThat(chain.writableSegments()).isZero();
        assertThat(chain.memory()).isNull();
        assertThat(chain.copyFromReadable(0, new byte[1], 0, 1)).isFalse();
        assertThat(chain.copyFromReadable(0, new byte[1], 0, 0)).isTrue();
    }

    @Test
    void shouldReportMemoryThatFailsUnderACopy() throws IOException {
        Path file = directory.resolve("ram");
        Chain mapped = new Chain();
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ram.setLength(1 << 16);
            MappedByteBuffer bytes = ram.getChannel().map(MapMode.READ_WRITE, 0, 1 << 16);
            MemoryMap map = RegionMap.builder().add(0, bytes).mayBeTruncated(true).build();
            mapped.begin(0, map);
            assertThat(mapped.append(map, 1 << 15, 4096, true)).isNull();
            ram.setLength(0);

            assertThatThrownBy(() -> mapped.copyToWritable(0, new byte[4096], 0, 4096))
                    .isInstanceOf(GuestMemoryFault.class)
                    .hasCauseInstanceOf(InternalError.class);
        }
    }

    private byte[] writableBytes() {
        byte[] all = new byte[Arrays.stream(WRITABLE).sum()];
        int at = 0;
        for (int i = 0; i < WRITABLE.length; i++) {
            byte[] part = ring.read(buffer(5 + i), WRITABLE[i]);
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
