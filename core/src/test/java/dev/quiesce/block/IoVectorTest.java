package dev.quiesce.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IoVectorTest {
    private final IoVector vector = new IoVector();

    @Test
    void shouldAddUpItsSegments() {
        ByteBuffer base = ByteBuffer.allocate(100);

        vector.add(base, 10, 20);
        vector.add(base, 90, 10);

        assertThat(vector.segments()).isEqualTo(2);
        assertThat(vector.bytes()).isEqualTo(30);
        assertThat(vector.base(1)).isSameAs(base);
        assertThat(vector.offset(1)).isEqualTo(90);
        assertThat(vector.length(1)).isEqualTo(10);
    }

    @Test
    @Rule("REQ-7")
    void shouldRefuseSegmentsOutsideTheirBuffer() {
        ByteBuffer base = ByteBuffer.allocate(100).limit(50);

        assertThatThrownBy(() -> vector.add(base, 40, 11))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> vector.add(base, -1, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> vector.add(base, Integer.MAX_VALUE, 2))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(vector.segments()).isZero();
    }

    @Test
    void shouldRefuseAccessOutsideOfItself() {
        vector.add(ByteBuffer.allocate(8), 0, 8);

        assertThatThrownBy(() -> vector.fillZero(4, 5))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> vector.copyTo(0, new byte[9], 0, 9))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> vector.copyFrom(0, new byte[4], 1, 4))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> vector.base(1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new IoVector().addSlice(vector, 1, 8))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void shouldForgetEmptySegments() {
        vector.add(ByteBuffer.allocate(8), 8, 0);

        assertThat(vector.segments()).isZero();
    }

    @Test
    void shouldRefuseToContainItself() {
        assertThatThrownBy(() -> vector.addSlice(vector, 0, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldLeavePositionAndLimitOfItsBuffersAlone() {
        ByteBuffer base = ByteBuffer.allocate(64).position(7).limit(60);
        vector.add(base, 0, 60);

        vector.fillZero(0, 60);
        vector.copyFrom(0, new byte[10], 0, 10);
        vector.copyTo(0, ByteBuffer.allocate(10), 0, 10);

        assertThat(base.position()).isEqualTo(7);
        assertThat(base.limit()).isEqualTo(60);
    }

    @Test
    void shouldBeEmptyAndLetGoAfterClear() {
        vector.add(ByteBuffer.allocate(8), 0, 8);

        vector.clear();

        assertThat(vector.segments()).isZero();
        assertThat(vector.bytes()).isZero();
        assertThatThrownBy(() -> vector.base(0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    @Rule("I7")
    void shouldAskWhetherItsMemoryIsGoneAfterEachCopy() {
        IoVector vector = new IoVector();
        IoVector slice = new IoVector();
        int[] asked = new int[1];
        vector.add(ByteBuffer.allocate(16), 0, 16);
        vector.surfaceFaultsBy(() -> asked[0]++);
        slice.addSlice(vector, 4, 8);

        vector.fillZero(0, 16);
        vector.copyFrom(0, new byte[4], 0, 4);
        vector.copyFrom(0, ByteBuffer.allocate(4), 0, 4);
        vector.copyTo(0, new byte[4], 0, 4);
        slice.copyTo(0, ByteBuffer.allocate(4), 0, 4);
        assertThat(asked[0]).isEqualTo(5);
        vector.clear();
        vector.add(ByteBuffer.allocate(16), 0, 16);
        vector.fillZero(0, 16);

        assertThat(asked[0]).isEqualTo(5);
    }

    @Test
    void shouldAgreeWithAnArrayUnderRandomAccess() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            byte[] model = new byte[1 + random.nextInt(5000)];
            random.nextBytes(model);
            IoVector split = split(model, random);

            for (int i = 0; i < 20; i++) {
                step(split, model, random);
            }

            byte[] seen = new byte[model.length];
            split.copyTo(0, seen, 0, seen.length);
            assertThat(seen).as("seed %d round %d", seed, round).isEqualTo(model);
        }
    }

    private static void step(IoVector split, byte[] model, Random random) {
        int skip = random.nextInt(model.length);
        int length = random.nextInt(model.length - skip + 1);
        byte[] bytes = new byte[length + 3];
        random.nextBytes(bytes);
        ByteBuffer buffer = random.nextBoolean()
                ? ByteBuffer.wrap(bytes.clone()) : ByteBuffer.allocateDirect(length + 3).put(bytes);
        switch (random.nextInt(5)) {
            case 0 -> {
                split.fillZero(skip, length);
                Arrays.fill(model, skip, skip + length, (byte) 0);
            }
            case 1 -> {
                split.copyFrom(skip, bytes, 3, length);
                System.arraycopy(bytes, 3, model, skip, length);
            }
            case 2 -> {
                split.copyFrom(skip, buffer.clear(), 3, length);
                System.arraycopy(bytes, 3, model, skip, length);
            }
            case 3 -> {
                split.copyTo(skip, buffer.clear(), 3, length);
                byte[] seen = new byte[length];
                buffer.get(3, seen);
                assertThat(seen).isEqualTo(Arrays.copyOfRange(model, skip, skip + length));
            }
            default -> {
                IoVector part = new IoVector();
                part.addSlice(split, skip, length);
                assertThat(part.bytes()).isEqualTo(length);
                part.copyFrom(0, bytes, 3, length);
                System.arraycopy(bytes, 3, model, skip, length);
            }
        }
    }

    private static IoVector split(byte[] model, Random random) {
        IoVector split = new IoVector();
        for (int at = 0; at < model.length; ) {
            int length = 1 + random.nextInt(model.length - at);
            int lead = random.nextInt(5);
            ByteBuffer base = random.nextBoolean()
                    ? ByteBuffer.allocate(lead + length) : ByteBuffer.allocateDirect(lead + length);
            base.put(lead, model, at, length);
            split.add(base, lead, length);
            at += length;
        }
        return split;
    }
}
