package dev.quiesce.aio.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class PollParametersTest {
    private final PollParameters usual = PollParameters.DEFAULT;

    @Test
    @Rule("AIO-46")
    @Rule("IOT-1")
    void shouldHaveTheUsualValues() {
        assertThat(PollParameters.OFF.isOn()).isFalse();
        assertThat(usual.isOn()).isTrue();
        assertThat(usual).isEqualTo(new PollParameters(32_768, 0, 0));
    }

    @Test
    @Rule("AIO-48")
    void shouldKeepATimeThatWasEnough() {
        assertThat(usual.next(8_000, 8_000)).isEqualTo(8_000);
        assertThat(usual.next(8_000, 1)).isEqualTo(8_000);
        assertThat(usual.next(0, 0)).isZero();
    }

    @Test
    @Rule("AIO-48")
    void shouldGrowATimeThatWasTooShortButCouldBeEnough() {
        assertThat(usual.next(0, 1)).isEqualTo(4_000);
        assertThat(usual.next(4_000, 10_000)).isEqualTo(8_000);
        assertThat(usual.next(30_000, 32_000)).isEqualTo(32_768);
        assertThat(new PollParameters(32_768, 3, 0).next(4_000, 10_000)).isEqualTo(12_000);
        assertThat(new PollParameters(3_000, 0, 0).next(0, 10)).isEqualTo(3_000);
        assertThat(new PollParameters(Long.MAX_VALUE, 4, 0)
                .next(Long.MAX_VALUE / 2, Long.MAX_VALUE - 1)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Rule("AIO-48")
    void shouldShrinkATimeThatCanNeverBeEnough() {
        assertThat(usual.next(16_000, 32_769)).isZero();
        assertThat(new PollParameters(32_768, 0, 2).next(16_000, 32_769)).isEqualTo(8_000);
        assertThat(new PollParameters(32_768, 0, 1).next(16_000, 32_769)).isEqualTo(16_000);
    }

    @Test
    @Rule("AIO-48")
    void shouldNotGrowForAWaitOfExactlyTheLongestTime() {
        assertThat(usual.next(4_000, 32_768)).isEqualTo(4_000);
    }

    @Test
    @Rule("AIO-53")
    @Rule("IOT-1")
    void shouldRefuseNegativeValuesAndNameThem() {
        assertThatThrownBy(() -> new PollParameters(-1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("maxNanos", "-1", "IOT-1");
        assertThatThrownBy(() -> new PollParameters(0, -2, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("grow", "-2");
        assertThatThrownBy(() -> new PollParameters(0, 0, -3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("shrink", "-3");
    }
}
