package dev.quiesce.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class VirtualClockTest {
    private final VirtualClock clock = new VirtualClock();

    @Test
    void shouldStandStillUntilItIsMoved() {
        clock.advance(5);
        clock.advanceTo(7);

        assertThat(clock.nanoTime()).isEqualTo(7);
        assertThat(clock.nanoTime()).isEqualTo(7);
    }

    @Test
    void shouldNeverRunBackwards() {
        clock.advance(5);
        clock.advanceTo(3);

        assertThat(clock.nanoTime()).isEqualTo(5);
        assertThatIllegalArgumentException().isThrownBy(() -> clock.advance(-1))
                .withMessageContaining("-1");
    }
}
