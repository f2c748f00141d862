package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Layouts, held to words written out by hand. */
@Rule("VHU-5")
class PayloadTest {
    @Test
    void shouldReadTheStateOfARing() {
        assertThat(Payload.VringState.decode(words(2, 128)))
                .isEqualTo(new Payload.VringState(2, 128));
    }

    @Test
    void shouldReadWhereARingLies() {
        ByteBuffer from = ByteBuffer.allocate(40).order(ByteOrder.nativeOrder());
        from.putInt(3).putInt(1).putLong(0x10).putLong(0x20).putLong(0x30).putLong(0x40).flip();

        assertThat(Payload.VringAddress.decode(from))
                .isEqualTo(new Payload.VringAddress(3, 1, 0x10, 0x20, 0x30, 0x40));
    }

    @Test
    void shouldReadTheQueueAndWhetherADescriptorComes() {
        assertThat(Payload.VringDescriptor.decode(longs(0x07)))
                .isEqualTo(new Payload.VringDescriptor(7, true));
        assertThat(Payload.VringDescriptor.decode(longs(0x1FF)))
                .isEqualTo(new Payload.VringDescriptor(255, false));
    }

    @Test
    void shouldReadRegionsBehindTheirNumber() throws Violation {
        ByteBuffer from = ByteBuffer.allocate(72).order(ByteOrder.nativeOrder());
        from.putInt(2).putInt(0).putLong(1).putLong(2).putLong(3).putLong(4)
                .putLong(5).putLong(6).putLong(7).putLong(8).flip();

        assertThat(Payload.regions(from)).isEqualTo(List.of(
                new Payload.Region(1, 2, 3, 4), new Payload.Region(5, 6, 7, 8)));
    }

    @Test
    @Rule("VHU-50")
    void shouldTolerateRoomForMoreRegionsThanThereAre() throws Violation {
        ByteBuffer from = ByteBuffer.allocate(72).order(ByteOrder.nativeOrder());
        from.putInt(0, 1).putLong(8, 1);

        assertThat(Payload.regions(from)).hasSize(1);
    }

    @Test
    @Rule("VHU-12")
    void shouldRefuseMoreRegionsThanCame() {
        assertThatThrownBy(() -> Payload.regions(words(1, 0))).isInstanceOf(Violation.class);
        assertThatThrownBy(() -> Payload.regions(words(-1, 0))).isInstanceOf(Violation.class);
        assertThatThrownBy(() -> Payload.regions(words(0x0800_0001, 0)))
                .isInstanceOf(Violation.class);
    }

    @Test
    @Rule("VHU-13")
    void shouldReadASingleRegionBehindItsPadding() {
        assertThat(Payload.singleRegion(longs(99, 1, 2, 3, 4)))
                .isEqualTo(new Payload.Region(1, 2, 3, 4));
    }

    @Test
    void shouldJudgeASliceOfTheConfigurationWithoutOverflow() {
        assertThat(config(0, 36, 36).fits(256)).isTrue();
        assertThat(config(220, 36, 36).fits(256)).isTrue();
        assertThat(config(221, 36, 36).fits(256)).isFalse();
        assertThat(config(0, 0, 0).fits(256)).isFalse();
        assertThat(config(-1, 4, 4).fits(256)).isFalse();
        assertThat(config(Integer.MAX_VALUE, 4, 4).fits(256)).isFalse();
        assertThat(config(4, -4, 4).fits(256)).isFalse();
        assertThat(config(0, 8, 4).fits(256)).isFalse();
    }

    private static Payload.Config config(int offset, int size, int came) {
        ByteBuffer from = ByteBuffer.allocate(12 + came).order(ByteOrder.nativeOrder());
        from.putInt(0, offset).putInt(4, size);
        return Payload.Config.decode(from);
    }

    private static ByteBuffer words(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * words.length).order(ByteOrder.nativeOrder());
        for (int word : words) {
            buffer.putInt(word);
        }
        return buffer.flip();
    }

    private static ByteBuffer longs(long... longs) {
        ByteBuffer buffer = ByteBuffer.allocate(8 * longs.length).order(ByteOrder.nativeOrder());
        for (long each : longs) {
            buffer.putLong(each);
        }
        return buffer.flip();
    }
}
