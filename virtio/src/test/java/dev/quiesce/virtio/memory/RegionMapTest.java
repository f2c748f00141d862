package dev.quiesce.virtio.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionMapTest {

    @TempDir private Path temporary;

    @Test
    void shouldRefuseRegionsThatOverlap() {
        RegionMap.Builder builder = RegionMap.builder()
                .add(0x1000, ByteBuffer.allocate(0x1000))
                .add(0x1fff, ByteBuffer.allocate(1));

        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x1fff");
    }

    @Test
    void shouldRefuseRegionsThatAreEmptyOrPassTheEnd() {
        RegionMap.Builder builder = RegionMap.builder();

        assertThatThrownBy(() -> builder.add(0x1000, ByteBuffer.allocate(0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.add(-0x800L, ByteBuffer.allocate(0x1000)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0xfffffffffffff800");
    }

    @Test
    void shouldTakeThePartBetweenPositionAndLimitWhateverHappensToThemLater() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(32).order(ByteOrder.BIG_ENDIAN);
        buffer.put(8, (byte) 0x12).position(8).limit(16);

        MemoryMap map = RegionMap.builder().add(0x1000, buffer).build();
        buffer.clear();

        assertThat(map.covers(0x1000, 8, true)).isTrue();
        assertThat(map.covers(0x1000, 9, true)).isFalse();
        assertThat(map.load16(0x1000)).isEqualTo(0x12);
    }

    @Test
    @Rule("MAL-1")
    void shouldHoldNoRingInHostMemoryThatStartsAtAnOddAddress() {
        ByteBuffer direct = ByteBuffer.allocateDirect(64).position(1).slice();
        ByteBuffer heap = ByteBuffer.allocate(64).position(1).slice();
        ByteBuffer unknown = ByteBuffer.allocate(64).asReadOnlyBuffer();

        MemoryMap map = RegionMap.builder()
                .add(0x1000, direct).add(0x2000, heap).add(0x3000, unknown).build();

        assertThat(map.covers(0x1000, 32, true)).isTrue();
        assertThat(map.covers(0x2000, 32, true)).isTrue();
        assertThat(map.covers(0x3000, 32, false)).isTrue();
        assertThat(map.holdsRing(0x1000, 32, true)).isFalse();
        assertThat(map.holdsRing(0x2000, 32, true)).isFalse();
        assertThat(map.holdsRing(0x3000, 32, false)).isFalse();
    }

    /** RAM larger than a buffer is one region all the same. */
    @Test
    @Rule("VQ-3")
    void shouldHoldRingsAcrossTheBuffersOfOneRegion() {
        MemoryMap map = RegionMap.builder()
                .add(0x1000, List.of(ByteBuffer.allocateDirect(64), ByteBuffer.allocate(64),
                        ByteBuffer.allocateDirect(64)))
                .add(0x10c0, ByteBuffer.allocateDirect(64))
                .build();

        assertThat(map.holdsRing(0x1010, 0xb0, true)).isTrue();
        assertThat(map.holdsRing(0x1010, 0xb1, true)).isFalse();
        assertThat(map.holdsRing(0x1011, 0x10, true)).isFalse();
        map.storeRelease16(0x1040, 0x1234);
        map.store32(0x107e, 0x89abcdef);
        assertThat(map.loadAcquire16(0x1040)).isEqualTo(0x1234);
        assertThat(map.load16(0x107e)).isEqualTo(0xcdef);
        assertThat(map.loadAcquire16(0x1080)).isEqualTo(0x89ab);
    }

    @Test
    @Rule("VQ-3")
    @Rule("VQ-39")
    void shouldHoldNoRingsAcrossBuffersThatCannotDoWhatRingsNeed() {
        ByteBuffer odd = ByteBuffer.allocateDirect(65).position(1);
        ByteBuffer rom = ByteBuffer.allocateDirect(64).asReadOnlyBuffer();
        MemoryMap map = RegionMap.builder()
                .add(0x1000, List.of(ByteBuffer.allocateDirect(64), odd))
                .add(0x2000, List.of(ByteBuffer.allocateDirect(64), rom))
                .add(0x3000, List.of(ByteBuffer.allocateDirect(63), ByteBuffer.allocateDirect(64)))
                .build();

        assertThat(map.holdsRing(0x1020, 0x20, true)).isTrue();
        assertThat(map.holdsRing(0x1020, 0x22, true)).isFalse();
        assertThat(map.holdsRing(0x2020, 0x22, true)).isFalse();
        assertThat(map.holdsRing(0x2020, 0x22, false)).isTrue();
        assertThat(map.holdsRing(0x3020, 0x22, true)).isFalse();
    }

    @Test
    void shouldHoldRingsInHeapMemoryOnEveryJvm() {
        byte[] array = new byte[64];
        MemoryMap map = RegionMap.builder().add(0x1000, ByteBuffer.wrap(array)).build();

        map.storeRelease16(0x1002, 0x1234);

        assertThat(map.holdsRing(0x1000, 64, true)).isTrue();
        assertThat(map.loadAcquire16(0x1002)).isEqualTo(0x1234);
        assertThat(array).startsWith(0, 0, 0x34, 0x12);
    }

    @Test
    void shouldCoverNothingWithoutRegions() {
        MemoryMap map = RegionMap.builder().build();

        assertThat(map.covers(0, 1, false)).isFalse();
        assertThat(map.holdsRing(0, 2, false)).isFalse();
    }

    @Test
    void shouldSayWhetherTheGuestsStoresAreOrdered() {
        ByteBuffer ram = ByteBuffer.allocate(16);

        assertThat(RegionMap.builder().add(0, ram).build().guestStoresOrdered()).isTrue();
        assertThat(RegionMap.builder().add(0, ram).guestStoresOrdered(false).build()
                .guestStoresOrdered()).isFalse();
    }

    @Test
    void shouldResolveARangeOfMoreThanTwoGigabytes() throws IOException {
        int part = Integer.MAX_VALUE & ~0xfff;
        Path file = temporary.resolve("sparse");
        try (FileChannel ram = FileChannel.open(file, StandardOpenOption.CREATE_NEW,
                StandardOpenOption.SPARSE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemoryMap map = RegionMap.builder()
                    .add(0x1_0000_0000L, List.of(
                            ram.map(MapMode.READ_WRITE, 0, part),
                            ram.map(MapMode.READ_WRITE, part, part)))
                    .build();
            long[] sum = {0};

            boolean resolved = map.resolve(0x1_0000_0010L, 0xc000_0000L, true, (b, o, length) -> {
                sum[0] += length;
                return true;
            });
            map.store64(0x1_0000_0000L + part - 3, 0x0102030405060708L);

            assertThat(resolved).isTrue();
            assertThat(sum[0]).isEqualTo(0xc000_0000L);
            assertThat(map.load64(0x1_0000_0000L + part - 3)).isEqualTo(0x0102030405060708L);
        }
    }

    @Test
    void shouldShowAReplacedMapToWhoeverAsksNext() {
        MemoryMap first = RegionMap.builder().build();
        MemoryMap second = RegionMap.builder().build();
        PublishedMemory memory = new PublishedMemory(first);

        assertThat(memory.map()).isSameAs(first);
        memory.publish(second);

        assertThat(memory.map()).isSameAs(second);
        assertThat(GuestMemory.fixed(first).map()).isSameAs(first);
    }

}
