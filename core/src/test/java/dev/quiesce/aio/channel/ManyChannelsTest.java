package dev.quiesce.aio.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Spin;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The scenario EPOLL-T01: a loop that sleeps in a selector, for a hundred sources from outside. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ManyChannelsTest {
    private static final int CHANNELS = 100;

    private final List<String> log = new ArrayList<>();
    private final AioContext context = new AioContext("io", LoopSeams.system());
    private final List<Pipe> pipes = new ArrayList<>();
    private final List<ChannelHandler> handlers = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
    }

    @Test
    @Rule("EPOLL-T01")
    void epollT01ShouldHearAnEventWhileChannelsAreServedMaskedAndServedAgain() throws Exception {
        EventNotifier event = new EventNotifier("event");
        try (Lease lease = context.acquire()) {
            event.attach(context, () -> log.add("event"));
            for (int i = 0; i < CHANNELS; i++) {
                attachReader(i);
            }

            sendWhileItSleeps(0);
            setWhileItSleeps(event);
            assertThat(log).containsExactly("channel 0", "event");

            // All but the last: the loop still sleeps in its selector.
            handlers.subList(0, CHANNELS - 1).forEach(ChannelHandler::detach);
            send(1);
            setWhileItSleeps(event);
            assertThat(context.poll(0)).isFalse();
            assertThat(log).containsExactly("channel 0", "event", "event");
            sendWhileItSleeps(CHANNELS - 1);
            assertThat(log).last().isEqualTo("channel " + (CHANNELS - 1));

            handlers.get(CHANNELS - 1).detach();
            log.clear();
            setWhileItSleeps(event);
            assertThat(log).containsExactly("event");

            for (int i = 0; i < CHANNELS; i++) {
                attach(i);
            }
            assertThat(context.poll(Long.MAX_VALUE)).isTrue();
            assertThat(log).as("what was sent meanwhile").containsExactly("event", "channel 1");
            handlers.subList(CHANNELS, 2 * CHANNELS).forEach(ChannelHandler::detach);
            event.detach();
            assertThat(context.poll(0)).isFalse();
            context.close();
        }
    }

    private void attachReader(int number) throws IOException {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        pipes.add(pipe);
        attach(number);
    }

    private void attach(int number) {
        Pipe.SourceChannel source = pipes.get(number).source();
        handlers.add(ChannelHandler.attach(context, "channel " + number, source, () -> {
            log.add("channel " + number);
            receive(source);
        }, null));
    }

    private void sendWhileItSleeps(int number) throws InterruptedException {
        sleepUntil(() -> send(number));
    }

    private void setWhileItSleeps(EventNotifier event) throws InterruptedException {
        sleepUntil(event::set);
    }

    /** Has another thread do something when the loop is asleep, and polls until that was heard. */
    private void sleepUntil(Runnable happens) throws InterruptedException {
        int heard = log.size();
        long sleeps = context.watched().stats().parks();
        Thread other = new Thread(() -> {
            Spin.until(() -> context.watched().stats().parks() > sleeps, "the loop sleeps");
            happens.run();
        });
        other.start();
        while (log.size() == heard) {
            context.poll(Long.MAX_VALUE);
        }
        other.join();
    }

    private void send(int number) {
        try {
            assertThat(pipes.get(number).sink().write(ByteBuffer.allocate(1))).isEqualTo(1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void receive(Pipe.SourceChannel source) {
        try {
            assertThat(source.read(ByteBuffer.allocate(2))).isEqualTo(1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
