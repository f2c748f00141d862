package dev.quiesce.aio.source;

import static dev.quiesce.aio.source.CoreOffer.PASSED_MAX;
import static dev.quiesce.aio.source.CoreOffer.SLOW_NANOS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CoreOfferTest {
    private static final long QUICK = SLOW_NANOS;
    private static final long SLOW = SLOW_NANOS + 1;

    private final CoreOffer offer = new CoreOffer();

    @Test
    @Rule("AIO-50a")
    void shouldOfferBeforeEverySleepAsLongAsThatPays() {
        for (int i = 0; i < 100; i++) {
            assertThat(offer.precedes()).isTrue();
            offer.ended(QUICK, true);
        }
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverTwiceAsManySleepsAfterEachOfferInVain() {
        List<Integer> expected = new ArrayList<>();
        for (int sleeps = 1; sleeps < PASSED_MAX; sleeps *= 2) {
            expected.add(sleeps);
        }
        expected.add(PASSED_MAX);
        expected.add(PASSED_MAX);

        assertThat(passedAfterEach(expected.size(), QUICK, false)).isEqualTo(expected);
        assertThat(PASSED_MAX).isEqualTo(1_048_576);
    }

    @Test
    @Rule("AIO-50a")
    void shouldForgetTheOffersInVainAsSoonAsOnePays() {
        passedAfterEach(7, QUICK, false);

        assertThat(passedAfter(QUICK, true)).isZero();
        assertThat(passedAfter(QUICK, false)).isEqualTo(1);
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverSixteenTimesAsManySleepsAfterEachSlowOffer() {
        assertThat(passedAfterEach(7, SLOW, true))
                .containsExactly(16, 256, 4_096, 65_536, PASSED_MAX, PASSED_MAX, PASSED_MAX);
        assertThat(passedAfterEach(2, SLOW, false)).containsExactly(PASSED_MAX, PASSED_MAX);
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverTheMoreWhenAnOfferWasSlowAndInVain() {
        assertThat(passedAfterEach(6, QUICK, false)).endsWith(32);

        assertThat(passedAfterEach(2, SLOW, false)).containsExactly(64, 256);
    }

    @Test
    @Rule("AIO-50a")
    void shouldForgetASlowOfferAfterAsManyQuickFindsAsItPassedOver() {
        assertThat(passedAfter(SLOW, true)).isEqualTo(16);
        assertThat(passedAfterEach(15, QUICK, true)).containsOnly(0);
        assertThat(passedAfter(QUICK, false)).as("neither for nor against it").isEqualTo(1);
        assertThat(passedAfter(SLOW, true)).as("one short").isEqualTo(256);

        passedAfterEach(256, QUICK, true);

        assertThat(passedAfter(SLOW, true)).isEqualTo(16);
    }

    @Test
    @Rule("AIO-50a")
    void shouldForgetSlowOffersAfterSixtyFourQuickFindsHoweverManyItPassedOver() {
        passedAfterEach(5, SLOW, true);
        passedAfterEach(63, QUICK, true);
        assertThat(passedAfter(SLOW, true)).isEqualTo(PASSED_MAX);

        passedAfterEach(64, QUICK, true);

        assertThat(passedAfter(SLOW, true)).isEqualTo(16);
    }

    @Test
    @Rule("AIO-50a")
    void shouldLoseOneSliceInAMillionSleepsToAHogInTheLongRun() {
        assertThat(slicesIn(10 * PASSED_MAX, 1)).isLessThanOrEqualTo(5 + 10);
    }

    /** Quick finds between do not lead back: too few come in a row. */
    @Test
    @Rule("AIO-50a")
    void shouldLoseNoMoreToAHogThatGetsTheCoreSometimesOnly() {
        slicesIn(PASSED_MAX, 10);

        assertThat(slicesIn(10 * PASSED_MAX, 10)).isLessThanOrEqualTo(10);
    }

    /** How many slices go in so many sleeps, if of every few offers one, at random, is slow. */
    private int slicesIn(int sleeps, int few) {
        Random random = new Random(few);
        int slices = 0;
        for (int i = 0; i < sleeps; i++) {
            if (offer.precedes()) {
                boolean slow = random.nextInt(few) == 0;
                slices += slow ? 1 : 0;
                offer.ended(slow ? SLOW : QUICK, true);
            }
        }
        return slices;
    }

    private List<Integer> passedAfterEach(int offers, long tookNanos, boolean found) {
        List<Integer> passed = new ArrayList<>();
        for (int i = 0; i < offers; i++) {
            passed.add(passedAfter(tookNanos, found));
        }
        return passed;
    }

    /** Makes an offer, and says how many sleeps come before the next. */
    private int passedAfter(long tookNanos, boolean found) {
        offer.ended(tookNanos, found);
        int passed = 0;
        while (!offer.precedes()) {
            passed++;
        }
        return passed;
    }
}
