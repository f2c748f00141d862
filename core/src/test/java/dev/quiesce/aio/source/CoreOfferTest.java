package dev.quiesce.aio.source;

import static dev.quiesce.aio.source.CoreOffer.PASSED_MAX;
import static dev.quiesce.aio.source.CoreOffer.SLOW_NANOS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoreOfferTest {
    private static final long QUICK = SLOW_NANOS;
    private static final long SLOW = SLOW_NANOS + 1;
    private static final long SLICE = 4_000_000;

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
    void shouldPassOverASleepForEach64NanosOfASlowOffer() {
        assertThat(passedAfter(SLOW, true)).isEqualTo(1_562);
        assertThat(passedAfter(QUICK, true)).isZero();
        assertThat(passedAfter(4_000_000, true)).isEqualTo(62_500);
        assertThat(passedAfter(QUICK, true)).isZero();
        assertThat(passedAfter(Long.MAX_VALUE, true)).isEqualTo(PASSED_MAX);
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverTwiceAsManyAfterEachSlowOfferWithoutAQuickFindSince() {
        assertThat(passedAfterEach(6, 4_000_000, true))
                .containsExactly(62_500, 125_000, 250_000, 500_000, 1_000_000, PASSED_MAX);
        assertThat(passedAfterEach(2, SLOW, false)).containsExactly(PASSED_MAX, PASSED_MAX);
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverTheMoreWhenAnOfferWasSlowAndInVain() {
        assertThat(passedAfterEach(12, QUICK, false)).endsWith(2_048);

        assertThat(passedAfterEach(2, SLOW, false)).containsExactly(4_096, 8_192);
    }

    @Test
    @Rule("AIO-50a")
    void shouldPassOverAtLeastAsManyAsTheSlowestOfThemCosts() {
        assertThat(passedAfter(SLOW, true)).isEqualTo(1_562);

        assertThat(passedAfter(4_000_000, true)).isEqualTo(62_500);
    }

    @Test
    @Rule("AIO-50a")
    void shouldForgetSlowOffersAfterOneQuickFindOnly() {
        assertThat(passedAfter(SLOW, true)).isEqualTo(1_562);
        assertThat(passedAfter(QUICK, false)).as("neither for nor against it").isEqualTo(1);
        assertThat(passedAfter(SLOW, true)).isEqualTo(3_124);

        assertThat(passedAfter(QUICK, true)).isZero();

        assertThat(passedAfter(SLOW, true)).isEqualTo(1_562);
    }

    @Test
    @Rule("AIO-50a")
    void shouldLoseOneSliceInAMillionSleepsToAHogInTheLongRun() {
        assertThat(nanosLostIn(10 * PASSED_MAX, 1) / SLICE).isLessThanOrEqualTo(5 + 10);
    }

    /** However seldom a hog gets the core, as it may be forgotten in between. */
    @ParameterizedTest
    @ValueSource(ints = {2, 10, 50, 500, 10_000, 100_000})
    @Rule("AIO-50a")
    void shouldLoseLessThan64NanosASleepToAHogThatGetsTheCoreSometimesOnly(int few) {
        long sleeps = 10 * PASSED_MAX;

        long lost = nanosLostIn(sleeps, few);

        assertThat(lost).isPositive();
        assertThat((lost - SLICE) / (double) sleeps).isLessThan(64);
    }

    /** What goes in so many sleeps if of every few offers one, at random, is a whole slice. */
    private long nanosLostIn(long sleeps, int few) {
        Random random = new Random(few);
        long lost = 0;
        for (long i = 0; i < sleeps; i++) {
            if (offer.precedes()) {
                boolean slow = random.nextInt(few) == 0;
                lost += slow ? SLICE : 0;
                offer.ended(slow ? SLICE : QUICK, true);
            }
        }
        return lost;
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
