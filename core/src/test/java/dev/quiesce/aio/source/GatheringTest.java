package dev.quiesce.aio.source;

import static dev.quiesce.aio.source.Gathering.FEW;
import static dev.quiesce.aio.source.Gathering.GAIN;
import static dev.quiesce.aio.source.Gathering.LOOKS;
import static dev.quiesce.aio.source.Gathering.MANY;
import static dev.quiesce.aio.source.Gathering.PAUSES_MAX;
import static dev.quiesce.aio.source.Gathering.PAYS;
import static dev.quiesce.aio.source.Gathering.REST;
import static dev.quiesce.aio.source.Gathering.VAIN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GatheringTest {
    private static final long NANOS = 4_000;

    private final Gathering gathering = new Gathering();

    @Test
    @Rule("AIO-50b")
    void shouldNotWaitBeforeSixteenLooksInARowHaveFoundSomethingAtOnce() {
        assertThat(pausesOf(LOOKS, PAYS)).containsOnly(0);
        assertThat(pausesOf(1, PAYS)).containsExactly(4);
        assertThat(LOOKS).isEqualTo(16);
    }

    @Test
    @Rule("AIO-50b")
    void shouldBeginAnewAfterOneLookThatFindsNothing() {
        pausesOf(LOOKS + 2, PAYS);

        assertThat(gathering.pauses(false, NANOS)).isZero();

        assertThat(pausesOf(LOOKS, PAYS)).containsOnly(0);
        assertThat(pausesOf(2, PAYS)).containsExactly(4, 8);
    }

    @Test
    @Rule("AIO-50b")
    void shouldWaitTwiceAsLongAsLongAsItFindsFewTasks() {
        pausesOf(LOOKS, FEW - 1);

        assertThat(pausesOf(5, FEW - 1)).containsExactly(4, 8, 16, 32, PAUSES_MAX);
        assertThat(PAUSES_MAX).isEqualTo(64);
    }

    @Test
    @Rule("AIO-50b")
    void shouldWaitAsLongAsBeforeWhenItFindsEnough() {
        pausesOf(LOOKS + 3, PAYS);

        assertThat(pausesOf(2, FEW)).containsExactly(16, 16);
        assertThat(pausesOf(2, MANY)).containsExactly(16, 16);
    }

    @Test
    @Rule("AIO-50b")
    void shouldWaitForHalfAsLongWhenItFindsMany() {
        pausesOf(LOOKS + 3, PAYS);

        assertThat(pausesOf(6, MANY + 1)).containsExactly(8, 4, 2, 1, 0, 0);
        assertThat(pausesOf(1, PAYS)).containsExactly(4);
    }

    @Test
    @Rule("AIO-50b")
    void shouldGoOnWaitingWhileTheLongestWaitBringsALineOfSlotsAndTwiceAsManyAsNone() {
        pausesOf(LOOKS + 1, PAYS / GAIN);
        assertThat(pausesOf(5, PAYS)).endsWith(PAUSES_MAX);

        assertThat(pausesOf(100, PAYS)).containsOnly(PAUSES_MAX);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLeaveOffWhenTheLongestWaitBringsNotTwiceAsManyAsNone() {
        pausesOf(LOOKS + 1, 20);
        assertThat(pausesOf(3 + VAIN, 39)).endsWith(PAUSES_MAX);

        assertThat(pausesOf(LOOKS, 39)).containsOnly(0);
    }

    @Test
    @Rule("AIO-50b")
    void shouldGoOnWaitingIfSomeOfTheLongestWaitsBringLess() {
        pausesOf(LOOKS + 5, 1);

        for (int i = 0; i < 100; i++) {
            assertThat(pausesOf(VAIN - 1, PAYS - 1)).containsOnly(PAUSES_MAX);
            assertThat(pausesOf(1, i % 2 == 0 ? PAYS : FEW)).containsOnly(PAUSES_MAX);
        }
    }

    @Test
    @Rule("AIO-50b")
    void shouldNotCountWhatOtherTurnsTakeMeanwhile() {
        pausesOf(LOOKS + 3, PAYS);
        gathering.took(MANY);

        gathering.took(MANY + 1);

        assertThat(gathering.pauses(true, NANOS)).isEqualTo(16);
    }

    @Test
    @Rule("AIO-50b")
    void shouldNotWaitIfThereIsLessTimeThanTheLongestWaitTakes() {
        pausesOf(LOOKS + 3, PAYS);

        assertThat(gathering.pauses(true, NANOS - 1)).isZero();

        assertThat(pausesOf(LOOKS, PAYS)).containsOnly(0);
    }

    @Test
    @Rule("AIO-50b")
    void shouldBeginAnewAfterASleep() {
        pausesOf(LOOKS + 3, PAYS);

        gathering.forget();

        assertThat(pausesOf(LOOKS, PAYS)).containsOnly(0);
        assertThat(pausesOf(1, PAYS)).containsExactly(4);
    }

    @Test
    @Rule("AIO-50b")
    void shouldLeaveOffForAThousandLooksWhenTheLongestWaitBringsLess() {
        assertThat(pausesOf(LOOKS + 4 + VAIN, PAYS - 1)).endsWith(32, PAUSES_MAX, PAUSES_MAX,
                PAUSES_MAX, PAUSES_MAX, PAUSES_MAX, PAUSES_MAX, PAUSES_MAX, PAUSES_MAX);

        assertThat(pausesOf(1, PAYS - 1)).containsExactly(0);
        assertThat(pausesOf(REST + LOOKS, PAYS)).containsOnly(0);
        assertThat(pausesOf(1, PAYS)).containsExactly(4);
        assertThat(REST).isEqualTo(1_000);
    }

    @Test
    @Rule("AIO-50b")
    void shouldRestToTheEndThoughLooksFindNothingMeanwhile() {
        pausesOf(LOOKS + 5 + VAIN, PAYS - 1);
        pausesOf(REST / 2, PAYS);

        assertThat(gathering.pauses(false, NANOS)).isZero();

        assertThat(pausesOf(REST - REST / 2 + LOOKS, PAYS)).containsOnly(0);
        assertThat(pausesOf(1, PAYS)).containsExactly(4);
    }

    /** So many looks that find something at once, each after a turn that took so many tasks. */
    private List<Integer> pausesOf(int looks, int tasks) {
        List<Integer> pauses = new ArrayList<>();
        for (int i = 0; i < looks; i++) {
            gathering.took(tasks);
            pauses.add(gathering.pauses(true, NANOS));
        }
        return pauses;
    }
}
