package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IoThreadPollingTest {
    private final PollParameters mine = new PollParameters(5_000, 3, 4);
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "io thread");
        thread.setDaemon(true);
        return thread;
    };

    @Test
    @Rule("IOT-1")
    @Rule("IOT-8")
    void shouldPollByDefaultAndSayHow() {
        try (IoThread ioThread = IoThread.start(config(LoopSeams.system()))) {
            assertThat(ioThread.properties().polling()).isNull();
            assertThat(ioThread.context().polling()).isEqualTo(PollParameters.DEFAULT);
        }
    }

    @Test
    @Rule("IOT-2")
    void shouldChangeItsParametersWhileItRuns() throws Exception {
        IoThread.Properties usual = IoThread.Properties.defaults();
        try (IoThread ioThread = IoThread.start(
                config(LoopSeams.system()).withProperties(usual.withPolling(mine)))) {
            assertThat(ioThread.context().polling()).isEqualTo(mine);

            ioThread.change(ioThread.properties().withPolling(PollParameters.OFF));

            assertThat(ioThread.context().polling()).isEqualTo(PollParameters.OFF);
            assertThat(ioThread.properties().polling()).isEqualTo(PollParameters.OFF);
            CountDownLatch ran = new CountDownLatch(1);
            ioThread.context().execute(ran::countDown);
            ran.await();
            ioThread.change(ioThread.properties().withPolling(null));
            assertThat(ioThread.context().polling()).isEqualTo(PollParameters.DEFAULT);
        }
    }

    @Test
    @Rule("IOT-2")
    void shouldKeepWhatItHasWhenAValueIsRefused() {
        IoThread.Properties usual = IoThread.Properties.defaults().withPolling(mine);
        try (IoThread ioThread =
                IoThread.start(config(LoopSeams.system()).withProperties(usual))) {
            assertThatThrownBy(() -> ioThread.change(
                    usual.withPolling(new PollParameters(-7, 0, 0))))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-7");

            assertThat(ioThread.context().polling()).isEqualTo(mine);
        }
    }

    @Test
    @Rule("IOT-1")
    void shouldNotPollByDefaultWhereThereAreFewerCoresThanLoops() {
        LoopSeams two = seams(2);
        try (IoThread first = IoThread.start(config(two))) {
            assertThat(two.parker().mayPoll(first.context())).isTrue();
            try (IoThread second = IoThread.start(config(two))) {
                assertThat(two.parker().mayPoll(second.context())).isFalse();
                assertThat(two.parker().mayPoll(first.context())).isFalse();
            }
            assertThat(two.parker().mayPoll(first.context())).isTrue();
        }
        LoopSeams one = seams(1);
        try (IoThread only = IoThread.start(config(one))) {
            assertThat(one.parker().mayPoll(only.context())).isFalse();
        }
    }

    @Test
    @Rule("AIO-50a")
    void shouldOfferItsCoreOnlyIfThatIsAllThereIs() {
        LoopSeams one = seams(1);
        LoopSeams two = seams(2);
        try (IoThread alone = IoThread.start(config(one));
                IoThread first = IoThread.start(config(two));
                IoThread second = IoThread.start(config(two))) {
            assertThat(one.parker().mayOfferCore(alone.context())).isTrue();
            assertThat(two.parker().mayOfferCore(first.context())).isFalse();
            assertThat(two.parker().mayPoll(second.context())).isFalse();
        }
    }

    @Test
    @Rule("AIO-50a")
    @Rule("IOT-1")
    void shouldOfferItsCoreByDefaultAndServeWhatIsPostedByWhoeverGetsIt() throws Exception {
        OneCore parker = new OneCore();
        CountDownLatch ran = new CountDownLatch(1);
        LoopSeams seams = LoopSeams.system().withParker(parker);
        try (IoThread ioThread = IoThread.start(config(seams))) {
            parker.offered.await();
            ioThread.context().execute(ran::countDown);
            parker.posted.countDown();
            ran.await();
        }
        assertThat(parker.servedAwake).isTrue();
    }

    private static LoopSeams seams(int cores) {
        return LoopSeams.system().withParker(new LoopSeams.ThreadParker(cores));
    }

    private IoThreadConfig config(LoopSeams seams) {
        return new IoThreadConfig("io", factory, seams, true);
    }

    /** Of a real machine with one core, which a loop that offers it gets back after a post. */
    private static final class OneCore implements Parker {
        final LoopSeams.ThreadParker real = new LoopSeams.ThreadParker(1);
        final CountDownLatch offered = new CountDownLatch(1);
        final CountDownLatch posted = new CountDownLatch(1);

        /** Whether the loop had not slept by the time of the post. */
        volatile boolean servedAwake;

        @Override
        public void offerCore(AioContext context) {
            long parks = context.watched().stats().parks();
            offered.countDown();
            try {
                posted.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            real.offerCore(context);
            servedAwake |= context.sleep().hasNews() && parks == 0;
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            real.park(context, maxNanos);
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            real.unpark(context, owner);
        }

        @Override
        public boolean mayPoll(AioContext context) {
            return real.mayPoll(context);
        }

        @Override
        public boolean mayOfferCore(AioContext context) {
            return real.mayOfferCore(context);
        }

        @Override
        public void threadServes(AioContext context, boolean serves) {
            real.threadServes(context, serves);
        }
    }
}
