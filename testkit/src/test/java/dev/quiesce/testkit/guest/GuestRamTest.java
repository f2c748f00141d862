package dev.quiesce.testkit.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.RegionMap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestRamTest {

    private static final long BASE = 0x4000_0000L;

    @Test
    void shouldStoreAndLoadBytesOnBothKindsOfMemory() {
        for (GuestRam ram : List.of(GuestRam.direct(BASE, 4096), GuestRam.heap(BASE, 4096))) {
            ram.fill(BASE, 16, 7);
            ram.write(BASE + 4, new byte[] {1, 2});

            assertThat(ram.read(BASE + 3, 4)).containsExactly(7, 1, 2, 7);
            assertThat(ram.map().covers(BASE, 4096, true)).isTrue();
            assertThatThrownBy(() -> ram.read(BASE + 4090, 8))
                    .isInstanceOf(GuestMemoryFault.class);
            assertThatThrownBy(() -> ram.fill(BASE - 1, 8, 0))
                    .isInstanceOf(GuestMemoryFault.class);
            assertThatThrownBy(() -> ram.write(0, new byte[1]))
                    .isInstanceOf(GuestMemoryFault.class);
        }
    }

    @Test
    void shouldAllocateAlignedPiecesThatDoNotOverlap() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        GuestRam ram = GuestRam.builder().direct(BASE, 1 << 16).heap(-(1 << 16), 1 << 16).build();
        List<long[]> pieces = new ArrayList<>();

        for (int i = 0; i < 2000; i++) {
            if (pieces.size() > 40) {
                ram.free(pieces.remove(random.nextInt(pieces.size()))[0]);
            }
            int bytes = 1 + random.nextInt(1500);
            int alignment = 1 << random.nextInt(9);
            long address = ram.allocate(bytes, alignment);

            assertThat(address % alignment).as("seed %s", seed).isZero();
            assertThat(ram.map().covers(address, bytes, true)).as("seed %s", seed).isTrue();
            for (long[] other : pieces) {
                boolean apart = address + bytes <= other[0] || other[0] + other[1] <= address;
                assertThat(apart).as("seed %s", seed).isTrue();
            }
            pieces.add(new long[] {address, bytes});
        }

        Collections.shuffle(pieces, random);
        pieces.forEach(piece -> ram.free(piece[0]));
        assertThat(ram.allocatedBytes()).isZero();
        assertThat(ram.allocate(1 << 16, 1)).as("all free again, in one piece").isEqualTo(BASE);
    }

    @Test
    void shouldRefuseWhatCannotBeAllocatedOrFreed() {
        GuestRam ram = GuestRam.direct(BASE, 4096);
        long address = ram.allocate(4000, 16);

        assertThatThrownBy(() -> ram.allocate(97, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ram.allocate(0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ram.allocate(1, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ram.free(address + 1))
                .isInstanceOf(IllegalArgumentException.class);
        ram.free(address);
        assertThatThrownBy(() -> ram.free(address)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldHideItsMemoryFromDevicesOnly() {
        GuestRam ram = GuestRam.direct(BASE, 4096);

        ram.replaceMap(RegionMap.builder().build());

        assertThat(ram.map().covers(BASE, 1, false)).isFalse();
        assertThat(ram.read(BASE, 1)).containsExactly(0);
        ram.replaceMap(ram.whole());
        assertThat(ram.map().covers(BASE, 1, false)).isTrue();
    }
}
