package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.watch.LoopStats;
import dev.quiesce.aio.watch.Stall;
import dev.quiesce.aio.watch.Watchdog;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A loop that may not poll, since there is one core: it lets others run before it sleeps. */
class OfferedCoreTest {
    private static final long QUICK_NANOS = 1_000;
    private static final long SLOW_NANOS = 3_000_000;

    private final FakeLoop loop = new FakeLoop();

    @BeforeEach
    void haveOneCore() {
        loop.parker.mayPoll = false;
        loop.parker.mayOfferCore = true;
        loop.parker.whileOffered = () -> loop.clock.nowNanos += QUICK_NANOS;
        loop.context.sleep().poll(PollParameters.DEFAULT, true);
        loop.poll();
        assertThat(loop.parker.offers).as("a turn that does not wait").isZero();
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-38")
    void shouldServeWhatIsPostedMeanwhileWithoutSleepingOrBeingUnparked() {
        Task task = loop.logs("posted");
        loop.parker.whileOffered = () -> elsewhere(() -> loop.context.post(task));

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.log).containsExactly("posted");
        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.parker.unparks).isZero();
        assertThat(loop.parker.offers).isEqualTo(1);
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-30")
    void shouldNotSleepWhenItWasWokenMeanwhile() {
        loop.parker.whileOffered = () -> elsewhere(loop.context::wake);

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.parker.unparks).isZero();
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-38")
    void shouldBeHomeAndAwakeAndNotArmedMeanwhile() {
        List<Boolean> seen = new ArrayList<>();
        loop.parker.whileOffered = () -> {
            seen.add(loop.context.isHome());
            seen.add(loop.context.watched().stats().isBusy());
            seen.add(!loop.context.sleep().protocol().isArmed());
        };

        loop.context.poll(5_000);

        assertThat(seen).containsExactly(true, true, true);
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-34")
    void shouldArmItselfAndSleepAsEverWhenNothingCame() {
        List<Boolean> armed = new ArrayList<>();
        loop.parker.asleep = () -> armed.add(loop.context.sleep().protocol().isArmed());

        loop.context.poll(Long.MAX_VALUE);
        loop.parker.offers = 0;
        // The one after an offer in vain passes over it.
        loop.context.poll(5_000);
        loop.context.poll(5_000);

        assertThat(armed).containsExactly(true);
        assertThat(loop.parker.offers).isEqualTo(1);
        assertThat(loop.parker.parks)
                .containsExactly(Long.MAX_VALUE, 5_000L, 5_000 - QUICK_NANOS);
    }

    /** Who has the core before it lets others run need not let them run. */
    @Test
    @Rule("AIO-50a")
    void shouldNotOfferWhenThereIsNewsAlready() {
        elsewhere(loop.context::wake);
        loop.context.poll(Long.MAX_VALUE);
        Task task = loop.logs("posted");
        elsewhere(() -> loop.context.post(task));
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("posted");
        assertThat(loop.parker.offers).isZero();
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-50a")
    void shouldOfferLessAndLessOftenInVainAndAlwaysAgainOnceItPays() {
        assertThat(sleepsWithAnOffer(40)).containsExactly(0, 2, 5, 10, 19, 36);
        Task task = loop.logs("posted");
        loop.parker.whileOffered = () -> elsewhere(() -> loop.context.post(task));
        while (loop.log.isEmpty()) {
            loop.context.poll(5_000);
        }
        loop.log.clear();

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("posted", "posted");
    }

    @Test
    @Rule("AIO-50a")
    void shouldOfferSeldomOnceSomebodyElseHasUsedTheWholeSlice() {
        Task task = loop.logs("posted");
        loop.parker.whileOffered = () -> {
            loop.clock.nowNanos += SLOW_NANOS;
            elsewhere(() -> loop.context.post(task));
        };

        assertThat(sleepsWithAnOffer(150_000)).as("though each found something")
                .containsExactly(0, 1 + 46_875, 2 + 46_875 + 93_750);
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-40")
    void shouldSleepOnlyToTheNextTimerAfterASlowOffer() {
        LoopTimer timer = new LoopTimer(loop.context, "timer", () -> loop.log.add("fired"));
        long deadline = loop.clock.nowNanos + SLOW_NANOS + 200;
        timer.armAt(deadline);
        loop.parker.whileOffered = () -> loop.clock.nowNanos += SLOW_NANOS;

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(200L);
        assertThat(loop.log).containsExactly("fired");
        assertThat(loop.clock.nowNanos).isEqualTo(deadline);
    }

    @Test
    @Rule("AIO-50a")
    @Rule("AIO-40")
    void shouldFireATimerThatBecameDueMeanwhileWithoutSleeping() {
        LoopTimer timer = new LoopTimer(loop.context, "timer", () -> loop.log.add("fired"));
        timer.armAt(loop.clock.nowNanos + SLOW_NANOS - 1);
        loop.parker.whileOffered = () -> loop.clock.nowNanos += SLOW_NANOS;

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).containsExactly("fired");
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotSleepBeyondWhatItsCallerAllowed() {
        loop.parker.whileOffered = () -> loop.clock.nowNanos += SLOW_NANOS;

        loop.context.poll(SLOW_NANOS - 1);

        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-50a")
    void shouldLookAtTheClockBeforeAndAfterAnOfferOnly() {
        loop.parker.asleep = () -> { };
        long before = loop.clock.looks;
        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.clock.looks - before).isEqualTo(2);
        loop.parker.asleep = () -> { };
        before = loop.clock.looks;

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.offers).as("this one was passed over").isEqualTo(1);
        assertThat(loop.clock.looks).isEqualTo(before);
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotOfferWhenItWasToldHowToPoll() {
        loop.context.setPolling(PollParameters.OFF);
        loop.poll();
        loop.context.poll(5_000);
        loop.context.setPolling(new PollParameters(1_000, 0, 0));
        loop.poll();
        loop.context.poll(5_000);
        assertThat(loop.parker.offers).isZero();

        loop.context.sleep().poll(PollParameters.DEFAULT, true);
        loop.poll();
        loop.context.poll(5_000);

        assertThat(loop.parker.offers).isEqualTo(1);
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotOfferInAContextThatItsOwnerPolls() {
        FakeLoop bare = new FakeLoop("bare");
        bare.parker.mayPoll = false;
        bare.parker.mayOfferCore = true;

        bare.context.poll(5_000);

        assertThat(bare.parker.offers).isZero();
        assertThat(bare.parker.parks).containsExactly(5_000L);
        bare.close();
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotOfferWhereTheParkerSaysNoOrLetsItPoll() {
        loop.parker.mayOfferCore = false;
        loop.context.poll(5_000);
        loop.parker.mayOfferCore = true;
        loop.parker.mayPoll = true;
        loop.context.poll(5_000);

        assertThat(loop.parker.offers).isZero();
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotOfferWhileAChannelIsAttached() throws IOException {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        ChannelHandler handler = ChannelHandler.attach(
                loop.context, "channel", pipe.source(), () -> { }, null);

        loop.context.poll(1_000_000);

        assertThat(loop.parker.offers).isZero();
        handler.detach();
        pipe.source().close();
        pipe.sink().close();
    }

    /** What others do meanwhile is nothing that the callback around the turn has done. */
    @Test
    @Rule("AIO-50a")
    void shouldNotOfferInANestedTurn() {
        loop.context.defer(FakeLoop.task("nesting", () -> loop.context.poll(5_000)));

        loop.poll();

        assertThat(loop.parker.offers).isZero();
        assertThat(loop.parker.parks).containsExactly(5_000L);
    }

    @Test
    @Rule("AIO-50a")
    void shouldNotOfferWhereASimulationStepsIt() {
        OfferingParker parker = new OfferingParker(loop.clock);
        AioContext stepped = new AioContext("stepped", new LoopSeams(
                loop.clock, parker, Workers.inline(), LoopSeams::log));
        stepped.sleep().poll(PollParameters.DEFAULT, true);
        try (Lease lease = stepped.acquire()) {
            stepped.poll(0);
            stepped.poll(5_000);
        }

        assertThat(parker.parks).isEqualTo(1);
        assertThat(parker.offers).isZero();
    }

    @Test
    void shouldCountWhatItFoundNeitherAsASleepNorAsAHitOfPolling() {
        Task task = loop.logs("posted");
        loop.parker.whileOffered = () -> elsewhere(() -> loop.context.post(task));
        LoopStats before = loop.context.watched().stats();

        loop.context.poll(Long.MAX_VALUE);

        LoopStats stats = loop.context.watched().stats();
        assertThat(stats.turns() - before.turns()).isEqualTo(1);
        assertThat(stats.tasks() - before.tasks()).isEqualTo(1);
        assertThat(stats.parks()).isZero();
        assertThat(stats.wakeUps()).isZero();
        assertThat(stats.pollHits()).isZero();
        assertThat(loop.context.sleep().poller().hits()).isZero();
    }

    @Test
    void shouldNotBeTakenForStuckThoughItNeverSleeps() {
        List<Stall> stalls = new ArrayList<>();
        Watchdog watchdog = new Watchdog(loop.clock::nanoTime, 10_000, stalls::add);
        watchdog.watch(loop.context.watched());
        Task task = loop.logs("posted");
        loop.parker.whileOffered = () -> {
            loop.clock.nowNanos += 9_000;
            watchdog.look();
            elsewhere(() -> loop.context.post(task));
        };

        for (int i = 0; i < 20; i++) {
            loop.context.poll(Long.MAX_VALUE);
        }

        assertThat(loop.parker.offers).isEqualTo(20);
        assertThat(loop.parker.parks).isEmpty();
        assertThat(stalls).isEmpty();
    }

    /** Waits so often for nothing, and says in which of these sleeps the core was offered. */
    private List<Integer> sleepsWithAnOffer(int sleeps) {
        List<Integer> offered = new ArrayList<>();
        for (int i = 0; i < sleeps; i++) {
            int before = loop.parker.offers;
            loop.context.poll(5_000);
            if (loop.parker.offers > before) {
                offered.add(i);
            }
        }
        return offered;
    }

    /** Steps one loop, and would let it offer its core. */
    private static final class OfferingParker extends SteppingParker {
        private final FakeLoop.FakeClock clock;
        int parks;
        int offers;

        OfferingParker(FakeLoop.FakeClock clock) {
            this.clock = clock;
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            parks++;
            clock.nowNanos += maxNanos;
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            // Nobody sleeps.
        }

        @Override
        public boolean mayPoll(AioContext context) {
            return false;
        }

        @Override
        public boolean mayOfferCore(AioContext context) {
            return true;
        }

        @Override
        public void offerCore(AioContext context) {
            offers++;
        }
    }
}
