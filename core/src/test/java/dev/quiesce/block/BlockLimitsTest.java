package dev.quiesce.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class BlockLimitsTest {
    private static final BlockLimits WIDE = BlockLimits.unlimited();

    @Test
    void shouldTakeTheStricterOfBoth() {
        BlockLimits left = WIDE.withAlignment(512, 4096).withBounds(65536, 1 << 20, 1 << 30);
        BlockLimits right = WIDE.withAlignment(4096, 1).withBounds(1 << 20, 1 << 16, 1 << 20)
                .withReadOnly(true);

        BlockLimits both = left.merge(right);

        assertThat(both.requestAlignmentBytes()).isEqualTo(4096);
        assertThat(both.memoryAlignmentBytes()).isEqualTo(4096);
        assertThat(both.maxTransferBytes()).isEqualTo(65536);
        assertThat(both.maxWriteZeroesBytes()).isEqualTo(1 << 16);
        assertThat(both.maxDiscardBytes()).isEqualTo(1 << 20);
        assertThat(both.readOnly()).isTrue();
        assertThat(both).isEqualTo(right.merge(left));
    }

    @Test
    void shouldPromiseOnlyWhatBothCan() {
        BlockLimits left = WIDE.withDiscard(4096, true);
        BlockLimits right = WIDE.withDiscard(6144, false);

        BlockLimits both = left.merge(right);

        assertThat(both.canDiscard()).isTrue();
        assertThat(both.discardReadsZero()).isFalse();
        assertThat(both.discardAlignmentBytes()).isEqualTo(12288);
        assertThat(left.merge(WIDE).canDiscard()).isFalse();
    }

    @Test
    void shouldStayUnlimitedWhenBothAre() {
        BlockLimits both = WIDE.merge(WIDE.withAlignment(512, 1));

        assertThat(both.maxTransferBytes()).isEqualTo(BlockLimits.UNLIMITED);
    }

    @Test
    @Rule("REQ-29")
    void shouldNeverMergeATransferBelowOneUnit() {
        BlockLimits small = WIDE.withBounds(1000, 1, 1);

        assertThat(small.merge(WIDE.withAlignment(512, 1)).maxTransferBytes()).isEqualTo(512);
        assertThat(small.merge(WIDE.withAlignment(4096, 1)).maxTransferBytes()).isEqualTo(4096);
        assertThat(small.withAlignment(4096, 1).maxTransferBytes()).isEqualTo(4096);
    }

    @Test
    void shouldKnowWhatIsAligned() {
        BlockLimits limits = WIDE.withAlignment(512, 1);

        assertThat(limits.isAligned(1024, 512)).isTrue();
        assertThat(limits.isAligned(0, 0)).isTrue();
        assertThat(limits.isAligned(1, 512)).isFalse();
        assertThat(limits.isAligned(512, 511)).isFalse();
    }

    @Test
    void shouldRefuseNonsenseByName() {
        assertThatThrownBy(() -> WIDE.withAlignment(3, 1)).hasMessageContaining("3");
        assertThatThrownBy(() -> WIDE.withAlignment(1, 0))
                .hasMessageContaining("memoryAlignmentBytes");
        assertThatThrownBy(() -> WIDE.withBounds(0, 1, 1)).hasMessageContaining("maxTransferBytes");
        assertThatThrownBy(() -> WIDE.withDiscard(0, true))
                .hasMessageContaining("discardAlignmentBytes");
    }

    @Test
    void shouldBlameTheHostOnlyForHostFailures() {
        assertThat(BlockStatus.OK.severity()).isEqualTo(Severity.NONE);
        assertThat(BlockStatus.IO_ERROR.severity()).isEqualTo(Severity.HOST);
        assertThat(BlockStatus.NO_SPACE.severity()).isEqualTo(Severity.HOST);
        assertThat(BlockStatus.INVALID.severity()).isEqualTo(Severity.GUEST);
        assertThat(BlockStatus.CANCELLED.severity()).isEqualTo(Severity.GUEST);
        assertThat(BlockStatus.OK.isOk()).isTrue();
        assertThat(BlockStatus.BUSY.isOk()).isFalse();
    }
}
