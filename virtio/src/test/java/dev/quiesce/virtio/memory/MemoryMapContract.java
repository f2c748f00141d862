package dev.quiesce.virtio.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every memory map must do. A new implementation extends this. */
abstract class MemoryMapContract {

    /** RAM of two regions without a gap between them; a hole follows. */
    static final long LOW = 0x1000;

    static final long BORDER = 0x2000;
    static final long LOW_END = 0x3000;

    /** Read-only RAM, holes on both sides; the bytes 0, 1, 2 ... */
    static final long ROM = 0x8000;

    static final int ROM_BYTES = 0x100;

    /** RAM above 4 GiB. */
    static final long HIGH = 0x1_8000_0000L;

    static final int HIGH_BYTES = 0x1000;

    /** RAM whose last byte is the last of the address space. */
    static final long TOP = 0xffff_ffff_ffff_f000L;

    private MemoryMap map;

    /** A map with the regions above, writable ones all zero. */
    abstract MemoryMap newMap() throws IOException;

    /** The bytes of the read-only region. */
    static byte[] rom() {
        byte[] bytes = new byte[ROM_BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    @BeforeEach
    void makeMap() throws IOException {
        map = newMap();
    }

    @Test
    @Rule("MAL-11")
    void shouldCoverRamAndNothingElse() {
        assertThat(map.covers(LOW, 1, true)).isTrue();
        assertThat(map.covers(LOW, LOW_END - LOW, true)).isTrue();
        assertThat(map.covers(LOW, LOW_END - LOW + 1, true)).isFalse();
        assertThat(map.covers(LOW - 1, 2, false)).isFalse();
        assertThat(map.covers(LOW_END, 1, false)).isFalse();
        assertThat(map.covers(0, 1, false)).isFalse();
        assertThat(map.covers(HIGH, HIGH_BYTES, true)).isTrue();
        assertThat(map.covers(HIGH + HIGH_BYTES - 1, 1, true)).isTrue();
        assertThat(map.covers(HIGH + HIGH_BYTES, 1, true)).isFalse();
    }

    @Test
    void shouldCoverNothingOfNoLength() {
        assertThat(map.covers(LOW, 0, false)).isFalse();
        assertThat(map.covers(LOW, -1, false)).isFalse();
        assertThat(map.covers(LOW, Long.MIN_VALUE, false)).isFalse();
        assertThat(map.holdsRing(LOW, 0, false)).isFalse();
        assertThat(map.resolve(LOW, 0, false, (b, o, l) -> true)).isFalse();
    }

    @Test
    @Rule("MAL-11")
    void shouldNotWrapAroundTheAddressSpace() {
        assertThat(map.covers(TOP, 0x1000, true)).isTrue();
        assertThat(map.covers(TOP, 0x1001, true)).isFalse();
        assertThat(map.covers(-1L, 1, true)).isTrue();
        assertThat(map.covers(-1L, 2, true)).isFalse();
        assertThat(map.covers(-1L, Long.MAX_VALUE, false)).isFalse();
        assertThat(map.covers(LOW, Long.MAX_VALUE, false)).isFalse();
    }

    @Test
    @Rule("MAL-11")
    void shouldRefuseToWriteReadOnlyRam() {
        assertThat(map.covers(ROM, ROM_BYTES, false)).isTrue();
        assertThat(map.covers(ROM, ROM_BYTES, true)).isFalse();
        assertThat(map.resolve(ROM, 16, true, (b, o, l) -> true)).isFalse();
        assertThat(map.copyToGuest(ROM, new byte[4], 0, 4)).isFalse();
        assertThat(map.holdsRing(ROM, 16, true)).isFalse();
        assertThatThrownBy(() -> map.store16(ROM, 1)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.store32(ROM, 1)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.store64(ROM, 1)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.storeRelease16(ROM, 1)).isInstanceOf(GuestMemoryFault.class);
        assertThat(read(ROM, ROM_BYTES)).isEqualTo(rom());
    }

    @Test
    void shouldLoadLittleEndian() {
        assertThat(map.load16(ROM + 1)).isEqualTo(0x0201);
        assertThat(map.load32(ROM + 1)).isEqualTo(0x04030201);
        assertThat(map.load64(ROM + 1)).isEqualTo(0x0807060504030201L);
        assertThat(map.load16(ROM + 0xfe)).isEqualTo(0xfffe);
        assertThat(map.load32(ROM + 0xfc)).isEqualTo(0xfffefdfc);
        assertThat(map.load64(ROM + 0xf8)).isEqualTo(0xfffefdfcfbfaf9f8L);
    }

    @Test
    void shouldStoreLittleEndian() {
        map.store16(HIGH, 0xfedc);
        map.store32(HIGH + 2, 0xba987654);
        map.store64(HIGH + 6, 0x8796a5b4c3d2e1f0L);

        assertThat(read(HIGH, 14)).containsExactly(
                0xdc, 0xfe, 0x54, 0x76, 0x98, 0xba, 0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87);
        assertThat(map.load16(HIGH)).isEqualTo(0xfedc);
        assertThat(map.load32(HIGH + 2)).isEqualTo(0xba987654);
        assertThat(map.load64(HIGH + 6)).isEqualTo(0x8796a5b4c3d2e1f0L);
    }

    @Test
    void shouldIgnoreTheUpperHalfWhenStoring16() {
        map.store16(LOW, 0xabcd1234);
        map.storeRelease16(LOW + 2, 0xabcd5678);

        assertThat(map.load16(LOW)).isEqualTo(0x1234);
        assertThat(map.loadAcquire16(LOW + 2)).isEqualTo(0x5678);
        assertThat(map.load16(LOW + 4)).isZero();
    }

    @Test
    void shouldAccessScalarsAcrossTheBorderOfTwoRegions() {
        for (int before = 1; before < 8; before++) {
            map.store64(BORDER - before, 0x8877665544332211L + before);

            assertThat(map.load64(BORDER - before)).isEqualTo(0x8877665544332211L + before);
        }

        map.store32(BORDER - 3, 0xf1e2d3c4);
        map.store16(BORDER - 5, 0xa5b6);
        map.store16(BORDER - 1, 0x9687);

        assertThat(map.load16(BORDER - 5)).isEqualTo(0xa5b6);
        assertThat(map.load16(BORDER - 1)).isEqualTo(0x9687);
        assertThat(map.load32(BORDER - 3)).isEqualTo(0x9687d3c4);
    }

    @Test
    void shouldReportScalarsOutsideOfRamAsFaults() {
        assertThatThrownBy(() -> map.load16(LOW_END - 1)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.load32(LOW_END - 3)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.load64(LOW_END - 7)).isInstanceOf(GuestMemoryFault.class)
                .hasMessageContaining("0x2ff9");
        assertThatThrownBy(() -> map.load64(-4L)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.store64(LOW_END - 4, 0)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.loadAcquire16(0)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.storeRelease16(0, 0)).isInstanceOf(GuestMemoryFault.class);
    }

    @Test
    @Rule("VQ-39")
    void shouldAccessRingIndicesWithOrderAtEvenAddresses() {
        for (long base : new long[] {LOW, BORDER - 2, BORDER, HIGH + HIGH_BYTES - 2, TOP, -2L}) {
            assertThat(map.holdsRing(base, 2, true)).isTrue();

            map.storeRelease16(base, 0xfffe);

            assertThat(map.loadAcquire16(base)).isEqualTo(0xfffe);
            assertThat(map.load16(base)).isEqualTo(0xfffe);
        }
        map.fullFence();
    }

    @Test
    @Rule("MAL-1")
    void shouldHoldNoRingAtOddAddresses() {
        assertThat(map.holdsRing(LOW + 1, 16, true)).isFalse();
        assertThatThrownBy(() -> map.loadAcquire16(LOW + 1)).isInstanceOf(GuestMemoryFault.class);
        assertThatThrownBy(() -> map.storeRelease16(LOW + 1, 0))
                .isInstanceOf(GuestMemoryFault.class);
    }

    @Test
    @Rule("VQ-3")
    void shouldHoldNoRingThatStraddlesRegions() {
        assertThat(map.holdsRing(BORDER - 16, 16, true)).isTrue();
        assertThat(map.holdsRing(BORDER - 16, 17, true)).isFalse();
        assertThat(map.holdsRing(LOW_END - 16, 16, true)).isTrue();
        assertThat(map.holdsRing(LOW_END - 16, 17, true)).isFalse();
        assertThat(map.holdsRing(0x6000, 16, false)).isFalse();
    }

    @Test
    void shouldCopyInAndOutAcrossRegions() {
        byte[] written = new byte[0x900];
        for (int i = 0; i < written.length; i++) {
            written[i] = (byte) (i * 7);
        }

        assertThat(map.copyToGuest(BORDER - 0x500, written, 1, 0x800)).isTrue();
        byte[] read = new byte[0x900];
        assertThat(map.copyFromGuest(BORDER - 0x500, read, 1, 0x800)).isTrue();

        written[0] = 0;
        for (int i = 0x801; i < written.length; i++) {
            written[i] = 0;
        }
        assertThat(read).isEqualTo(written);
        assertThat(map.load16(BORDER - 0x502)).isZero();
        assertThat(map.load16(BORDER + 0x300)).isZero();
    }

    @Test
    void shouldCopyNothingWhenARangeIsNotCovered() {
        byte[] ones = {1, 1, 1, 1};

        assertThat(map.copyToGuest(LOW_END - 2, ones, 0, 4)).isFalse();
        assertThat(map.copyFromGuest(LOW_END - 2, ones, 0, 4)).isFalse();
        assertThat(map.copyFromGuest(0, ones, 0, 0)).isTrue();
        assertThat(map.copyToGuest(0, ones, 4, 0)).isTrue();

        assertThat(map.load16(LOW_END - 2)).isZero();
        assertThat(ones).containsOnly(1);
    }

    @Test
    void shouldRefuseArrayRangesThatAreOutOfBounds() {
        assertThatThrownBy(() -> map.copyFromGuest(LOW, new byte[4], 1, 4))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.copyToGuest(LOW, new byte[4], -1, 4))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    @Rule("VQ-16")
    void shouldResolveARangeIntoSegmentsInOrder() {
        List<Integer> lengths = new ArrayList<>();
        byte[] tag = {0};

        boolean resolved = map.resolve(BORDER - 0x10, 0x30, true, (base, offset, length) -> {
            lengths.add(length);
            for (int i = 0; i < length; i++) {
                base.put(offset + i, ++tag[0]);
            }
            return true;
        });

        assertThat(resolved).isTrue();
        assertThat(lengths.stream().mapToInt(Integer::intValue).sum()).isEqualTo(0x30);
        assertThat(lengths).hasSizeGreaterThanOrEqualTo(2);
        byte[] read = read(BORDER - 0x10, 0x30);
        for (int i = 0; i < read.length; i++) {
            assertThat(read[i]).isEqualTo((byte) (i + 1));
        }
        assertThat(map.load16(BORDER + 0x20)).isZero();
    }

    @Test
    @Rule("MAL-11")
    void shouldNotCallTheSinkForARangeThatIsNotCovered() {
        List<ByteBuffer> seen = new ArrayList<>();

        boolean resolved = map.resolve(LOW, LOW_END - LOW + 1, false, (base, offset, length) -> {
            seen.add(base);
            return true;
        });

        assertThat(resolved).isFalse();
        assertThat(seen).isEmpty();
    }

    @Test
    void shouldStopResolvingWhenTheSinkSaysSo() {
        int[] calls = {0};

        boolean resolved = map.resolve(BORDER - 1, 2, false, (base, offset, length) -> {
            calls[0]++;
            return false;
        });

        assertThat(resolved).isFalse();
        assertThat(calls[0]).isOne();
    }

    @Test
    void shouldHandOutReadOnlyBuffersForReadOnlyRam() {
        boolean[] readOnly = {false};

        map.resolve(ROM + 3, 4, false, (base, offset, length) -> {
            readOnly[0] = base.isReadOnly();
            return base.get(offset) == 3 && length == 4;
        });

        assertThat(readOnly[0]).isTrue();
    }

    private byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        assertThat(map.copyFromGuest(address, bytes, 0, length)).isTrue();
        return bytes;
    }
}
