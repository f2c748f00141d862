package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.channels.Pipe;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A loop that polls before it sleeps, on a clock that only its pauses move. */
class AdaptivePollingTest {
    private static final long MAX_NANOS = 10_000;

    private final FakeLoop loop = new FakeLoop();
    private final Ring ring = new Ring("ring");

    @Test
    @Rule("AIO-46")
    void shouldNotPollUnlessTold() {
        loop.context.poll(5_000);

        assertThat(loop.context.polling()).isEqualTo(PollParameters.OFF);
        assertThat(loop.parker.pauses).isZero();
        assertThat(loop.parker.parks).containsExactly(5_000L);
    }

    @Test
    @Rule("AIO-38")
    @Rule("AIO-51")
    void shouldSeeAPostWhilePollingWithoutBeingUnparked() {
        learnPosted();
        Task task = loop.logs("posted");
        whenPolled(() -> elsewhere(() -> loop.context.post(task)));
        loop.parker.parks.clear();
        loop.parker.unparks = 0;

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.log).endsWith("posted");
        assertThat(loop.parker.unparks).isZero();
        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.context.sleep().poller().hits()).isEqualTo(1);
    }

    @Test
    @Rule("BUG-13")
    @Rule("AIO-51")
    void shouldEndPollingWithTheNotifyAndNotWithItsTime() {
        learnPosted();
        long begun = loop.clock.nowNanos;
        whenPolled(() -> elsewhere(loop.context::wake));

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.clock.nowNanos - begun).isEqualTo(FakeLoop.FakeParker.PAUSE_NANOS);
    }

    @Test
    @Rule("AIO-30")
    @Rule("BUG-28")
    void shouldNotTakeItsOwnWakeUpForProgress() {
        learnPosted();
        whenPolled(() -> elsewhere(loop.context::wake));

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();
    }

    @Test
    @Rule("AIO-49")
    @Rule("AIO-22")
    void shouldPollAHandlerFromTheFirstTimeItWasServedAndSeeWhatNobodySignals() {
        on();
        ring.attach();
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += 1_000;
            ring.signal();
        };
        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.log).containsExactly("ring 1");
        assertThat(ring.begins).as("was not polled before").isZero();
        whenPolled(() -> ring.available = 1);

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(ring.event.isSet()).isFalse();
        assertThat(loop.log).containsExactly("ring 1", "ring 1");
        assertThat(ring.begins - ring.ends).isEqualTo(1);
    }

    @Test
    @Rule("AIO-34")
    @Rule("AIO-32")
    @Rule("TH-7")
    void shouldLeavePollingModeBeforeItSleeps() {
        learn(ring);
        boolean[] begunWhileAsleep = {true};
        loop.parker.asleep = () -> begunWhileAsleep[0] = ring.begins > ring.ends;
        loop.parker.parks.clear();

        loop.context.poll(20_000);

        assertThat(begunWhileAsleep).containsExactly(false);
        assertThat(loop.parker.parks).hasSize(1);
        assertThat(loop.parker.parks.get(0)).as("what polling left over").isLessThan(20_000);
        assertThat(ring.begins).isEqualTo(ring.ends).isPositive();
        assertThat(ring.calledElsewhere).isFalse();
    }

    @Test
    @Rule("AIO-32")
    void shouldServeWhatCameBeforeNotificationsWereBack() {
        learn(ring);
        ring.whenEnded = () -> ring.available = 1;
        loop.parker.parks.clear();
        loop.log.clear();

        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.log).containsExactly("ring 1");
    }

    @Test
    @Rule("AIO-47")
    @Rule("BUG-19")
    void shouldKeepATimeForEachHandler() {
        Ring slow = new Ring("slow");
        learn(ring);
        slow.attach();
        slow.signal();
        loop.clock.nowNanos += 1;
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += 10 * MAX_NANOS;
            slow.signal();
        };
        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);
        int pauses = loop.parker.pauses;

        loop.context.poll(2 * MAX_NANOS);

        assertThat(loop.parker.pauses).as("the fast one is still polled for").isGreaterThan(pauses);
    }

    @Test
    @Rule("AIO-48")
    void shouldStopPollingForWhatNeverComesInTime() {
        learn(ring);
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += 10 * MAX_NANOS;
            ring.signal();
        };
        loop.context.poll(Long.MAX_VALUE);
        int pauses = loop.parker.pauses;

        loop.context.poll(2 * MAX_NANOS);

        assertThat(loop.parker.pauses).isEqualTo(pauses);
    }

    @Test
    @Rule("AIO-51")
    void shouldPollNoLongerThanItMaySleep() {
        learn(ring);
        long begun = loop.clock.nowNanos;
        loop.parker.parks.clear();

        loop.context.poll(300);

        assertThat(loop.clock.nowNanos - begun).isEqualTo(300);
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-42")
    void shouldAskInEveryTurnThoughATaskQueuesItselfAgain() {
        learn(ring);
        whenPolled(() -> ring.available = 1);
        loop.context.poll(Long.MAX_VALUE);
        assertThat(ring.begins).as("in polling mode").isGreaterThan(ring.ends);
        BottomHalf[] again = new BottomHalf[1];
        again[0] = new BottomHalf(loop.context, "again", () -> again[0].schedule());
        again[0].schedule();
        loop.log.clear();
        ring.available = 1;

        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.log).containsExactly("ring 1");
        ring.available = 1;
        loop.context.poll(0);

        assertThat(loop.log).hasSize(2);
        again[0].delete();
    }

    @Test
    @Rule("AIO-27")
    @Rule("BUG-27")
    void shouldRunOnceForAPollingHitAndAnEventTogether() {
        learn(ring);
        loop.log.clear();
        whenPolled(() -> {
            ring.available = 1;
            ring.event.set();
        });

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(0);

        assertThat(loop.log).containsExactly("ring 1");
        assertThat(ring.event.isSet()).isFalse();
    }

    @Test
    @Rule("AIO-28")
    @Rule("BUG-20")
    void shouldNotAskAHandlerThatPollsBeforeItConsumed() {
        learn(ring);
        int[] depthMax = new int[1];
        ring.beforeConsuming = () -> {
            depthMax[0] = Math.max(depthMax[0], loop.context.pollDepth());
            loop.context.poll(100);
        };
        whenPolled(() -> ring.available = 1);

        loop.context.poll(Long.MAX_VALUE);

        assertThat(depthMax[0]).isEqualTo(1);
    }

    @Test
    @Rule("AIO-28")
    void shouldEndWhatItBeganThoughANestedTurnLeavesPollingMode() {
        learn(ring);
        loop.log.clear();
        ring.beforeConsuming = () -> {
            ring.beforeConsuming = () -> { };
            loop.context.poll(5 * MAX_NANOS);
            loop.log.add("begun " + (ring.begins > ring.ends));
            ring.lateArrival = true;
        };
        whenPolled(() -> ring.available = 1);

        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.log).startsWith("begun false");
        loop.context.poll(0);

        assertThat(loop.log).as("asked again when the handler returned")
                .containsExactly("begun false", "ring 1", "ring 1");
    }

    @Test
    @Rule("AIO-31")
    void shouldEndPollingWithTheAttachment() {
        learn(ring);
        whenPolled(() -> ring.available = 1);
        loop.context.poll(Long.MAX_VALUE);
        assertThat(ring.begins).isGreaterThan(ring.ends);
        int polls = ring.polls;

        ring.event.detach();
        loop.context.poll(300);

        assertThat(ring.begins).isEqualTo(ring.ends);
        assertThat(ring.polls).isEqualTo(polls);
    }

    @Test
    void shouldEndPollingWithTheOutermostLeaseAndWithTheContext() {
        learn(ring);
        whenPolled(() -> ring.available = 1);
        loop.context.poll(Long.MAX_VALUE);
        ring.whenEnded = () -> ring.available = 1;
        loop.close();
        assertThat(ring.begins).isEqualTo(ring.ends);
        loop.log.clear();

        Lease next = loop.context.acquire();
        loop.context.poll(0);
        assertThat(loop.log).containsExactly("ring 1");
        whenPolled(() -> ring.available = 1);
        loop.context.poll(Long.MAX_VALUE);
        assertThat(ring.begins).isGreaterThan(ring.ends);
        ring.event.detach();
        loop.context.close();

        assertThat(ring.begins).isEqualTo(ring.ends);
        next.close();
    }

    @Test
    @Rule("AIO-52")
    void shouldNotPollForAHandlerThatHasHadNothingForSevenSeconds() {
        learn(ring);
        loop.context.poll(2 * MAX_NANOS);
        loop.clock.nowNanos += TimeUnit.SECONDS.toNanos(7);
        loop.context.poll(2 * MAX_NANOS);
        int polls = ring.polls;

        loop.context.poll(2 * MAX_NANOS);
        assertThat(ring.polls).isEqualTo(polls);
        assertThat(ring.begins).isEqualTo(ring.ends);
        ring.signal();
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).as("still notified").endsWith("ring 1");
    }

    @Test
    @Rule("AIO-53")
    @Rule("AIO-46")
    void shouldForgetItsTimesAndWakeTheLoopWhenTheParametersChange() {
        learn(ring);
        int pauses = loop.parker.pauses;
        loop.context.setPolling(new PollParameters(MAX_NANOS, 0, 0));
        assertThat(loop.context.sleep().isNotified()).isTrue();
        loop.context.poll(0);

        loop.context.poll(2 * MAX_NANOS);

        assertThat(loop.parker.pauses).isEqualTo(pauses);
    }

    @Test
    @Rule("AIO-53")
    void shouldLeavePollingModeWhenItIsTurnedOff() {
        learn(ring);
        whenPolled(() -> ring.available = 1);
        loop.context.poll(Long.MAX_VALUE);
        assertThat(ring.begins).isGreaterThan(ring.ends);

        loop.context.setPolling(PollParameters.OFF);
        loop.context.poll(0);
        loop.context.poll(300);

        assertThat(ring.begins).isEqualTo(ring.ends);
        int polls = ring.polls;
        loop.context.poll(300);
        assertThat(ring.polls).isEqualTo(polls);
    }

    @Test
    @Rule("AIO-50")
    void shouldNotPollWhileAChannelIsAttached() throws IOException {
        learn(ring);
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        ChannelHandler handler = ChannelHandler.attach(
                loop.context, "channel", pipe.source(), () -> { }, null);
        int pauses = loop.parker.pauses;

        loop.context.poll(TimeUnit.MILLISECONDS.toNanos(1));

        assertThat(loop.parker.pauses).isEqualTo(pauses);
        handler.detach();
        pipe.source().close();
        pipe.sink().close();
    }

    @Test
    void shouldReportAHookThatThrowsAndGoOnNotifying() {
        learn(ring);
        ring.whenAsked = () -> {
            throw new IllegalStateException("on purpose");
        };

        assertIsReportedAndNotifiedOnly("on purpose");
    }

    /** As of memory that a guest has truncated: see I7. */
    @Test
    void shouldReportAnInternalErrorOfAHookWhereverItComes() {
        learn(ring);
        Runnable lost = () -> {
            throw new InternalError("lost page");
        };
        ring.whenAsked = lost;
        ring.whenBegun = lost;
        ring.whenEnded = lost;

        assertIsReportedAndNotifiedOnly("lost page");
    }

    private void assertIsReportedAndNotifiedOnly(String message) {
        loop.context.poll(2 * MAX_NANOS);
        loop.context.poll(2 * MAX_NANOS);
        assertThat(loop.errors).isNotEmpty()
                .allSatisfy(error -> assertThat(error).hasMessage(message));
        assertThat(ring.begins).isEqualTo(ring.ends);
        int polls = ring.polls;
        loop.log.clear();
        ring.signal();
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("ring 1");
        assertThat(ring.polls).isEqualTo(polls);
    }

    @Test
    void shouldAskTheParkerOnlyUnlessItWasTold() {
        loop.parker.mayPoll = false;
        loop.context.sleep().poll(new PollParameters(MAX_NANOS, 0, 0), true);
        ring.attach();
        teach(ring);
        loop.context.poll(300);
        assertThat(loop.parker.pauses).isZero();

        loop.context.setPolling(new PollParameters(MAX_NANOS, 0, 0));
        teach(ring);
        loop.context.poll(300);

        assertThat(loop.parker.pauses).isPositive();
    }

    @Test
    @Rule("JCQ-T15")
    @SuppressWarnings("NullAway") // the point of the test
    void jcqT15ShouldPollAsPolitelyAsBeforeIfOtherParametersAreRefused() {
        loop.parker.mayPoll = false;
        loop.context.sleep().poll(new PollParameters(MAX_NANOS, 0, 0), true);
        ring.attach();

        assertThatThrownBy(() -> loop.context.setPolling(null))
                .isInstanceOf(NullPointerException.class);

        teach(ring);
        loop.context.poll(300);
        assertThat(loop.parker.pauses).isZero();
    }

    @Test
    @Rule("AIO-50")
    void shouldForgetWhatItLearntWhileItMayNotPollAndNotLookAtTheClock() {
        loop.context.sleep().poll(new PollParameters(MAX_NANOS, 0, 0), true);
        ring.attach();
        teach(ring);
        loop.context.poll(20_000);
        assertThat(loop.parker.pauses).as("learnt").isPositive();
        loop.parker.mayPoll = false;
        long looksBefore = loop.clock.looks;
        loop.parker.asleep = () -> ring.signal();
        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.clock.looks).isEqualTo(looksBefore);
        loop.parker.mayPoll = true;
        loop.parker.pauses = 0;
        loop.parker.asleep = null;

        loop.context.poll(300);
        assertThat(loop.parker.pauses).as("forgotten").isZero();
        teach(ring);
        loop.context.poll(300);

        assertThat(loop.parker.pauses).as("learnt anew").isPositive();
    }

    @Test
    void shouldRefuseTimesThatAreNegative() {
        assertThatThrownBy(() -> loop.context.poll(-1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
    }

    private void on() {
        loop.context.setPolling(new PollParameters(MAX_NANOS, 0, 0));
        loop.context.poll(0);
    }

    /** Polling is on, and the ring's time long enough for everything here. */
    private void learn(Ring which) {
        if (!loop.context.polling().isOn()) {
            on();
        }
        if (which.event.attachedTo() == null) {
            which.attach();
        }
        teach(which);
    }

    private void teach(Ring which) {
        Runnable before = loop.parker.whilePolling;
        loop.parker.whilePolling = () -> { };
        loop.context.poll(0);
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += MAX_NANOS - 1;
            which.signal();
        };
        loop.context.poll(Long.MAX_VALUE);
        for (int i = 0; i < 2; i++) {
            loop.parker.asleep = () -> {
                loop.clock.nowNanos += 2_000;
                which.signal();
            };
            loop.context.poll(Long.MAX_VALUE);
        }
        loop.parker.asleep = null;
        loop.parker.whilePolling = before;
    }

    /** Polling is on, and the time of what is posted long enough for everything here. */
    private void learnPosted() {
        on();
        loop.parker.asleep = () -> {
            loop.clock.nowNanos += 1_000;
            elsewhere(loop.context::wake);
        };
        loop.context.poll(Long.MAX_VALUE);
    }

    /** Does something in the second pause of the next polling. */
    private void whenPolled(Runnable what) {
        loop.parker.whilePolling = () -> {
            loop.parker.whilePolling = () -> { };
            what.run();
        };
    }

    /** A ring with a doorbell that is not rung while the loop polls. */
    private final class Ring implements PollHook {
        final String name;
        final EventNotifier event;
        int available;
        int begins;
        int ends;
        int polls;
        boolean lateArrival;
        boolean calledElsewhere;
        Runnable beforeConsuming = () -> { };
        Runnable whenEnded = () -> { };
        Runnable whenAsked = () -> { };
        Runnable whenBegun = () -> { };

        Ring(String name) {
            this.name = name;
            this.event = new EventNotifier(name);
        }

        void attach() {
            event.attach(loop.context, this::serve, this);
        }

        void signal() {
            available++;
            event.set();
        }

        @Override
        public boolean poll() {
            polls++;
            noteCaller();
            whenAsked.run();
            return available > 0;
        }

        @Override
        public void pollBegins() {
            begins++;
            noteCaller();
            whenBegun.run();
        }

        @Override
        public void pollEnds() {
            ends++;
            noteCaller();
            Runnable now = whenEnded;
            whenEnded = () -> { };
            now.run();
        }

        private void noteCaller() {
            calledElsewhere |= !loop.context.isHome();
        }

        private void serve() {
            beforeConsuming.run();
            loop.log.add(name + " " + available);
            available = 0;
            if (lateArrival) {
                lateArrival = false;
                available = 1;
            }
        }
    }
}
