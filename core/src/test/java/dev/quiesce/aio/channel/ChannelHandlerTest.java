package dev.quiesce.aio.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.driver.Allocation;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ChannelHandlerTest {
    private final List<String> log = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();
    private final LoopSeams seams = LoopSeams.system()
            .withErrors((where, site, cause) -> errors.add(site + ": " + cause.getMessage()));
    private final AioContext context = new AioContext("io", seams);
    private Pipe pipe;

    @BeforeEach
    void open() throws IOException {
        pipe = nonBlockingPipe();
    }

    @AfterEach
    void close() throws IOException {
        pipe.source().close();
        pipe.sink().close();
    }

    @Test
    @Rule("AIO-26")
    void shouldRunAsLongAsTheChannelIsReadable() {
        ChannelHandler handler = attachReader("reader", () -> { });
        assertThat(io().poll(0)).isFalse();
        send(2);

        assertThat(io().poll(Long.MAX_VALUE)).isTrue();
        assertThat(io().poll(0)).as("not consumed").isTrue();
        assertThat(receive()).isEqualTo(2);
        assertThat(io().poll(0)).isFalse();

        assertThat(log).containsExactly("reader", "reader");
        handler.detach();
    }

    @Test
    @Rule("AIO-26")
    void shouldRunReadersAtTheEndOfTheStream() throws IOException {
        ChannelHandler handler = attachReader("reader", () -> { });
        pipe.sink().close();

        assertThat(io().poll(Long.MAX_VALUE)).isTrue();

        assertThat(log).containsExactly("reader");
        handler.detach();
    }

    @Test
    @Rule("AIO-26")
    void shouldReadBeforeItWritesAndConnectAndAccept() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open();
                SocketChannel client = SocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            server.configureBlocking(false);
            client.configureBlocking(false);
            List<SocketChannel> accepted = new ArrayList<>();
            ChannelHandler accepts = ChannelHandler.attach(
                    io(), "server", server, () -> accepted.add(acceptFrom(server)), null);
            client.connect(server.getLocalAddress());
            ChannelHandler handler = ChannelHandler.attach(io(), "client", client,
                    () -> log.add("reads"), () -> log.add("writes " + finish(client)));
            while (accepted.isEmpty() || !client.isConnected()) {
                io().poll(Long.MAX_VALUE);
            }
            write(accepted.get(0), 1);
            while (!log.contains("reads")) {
                log.clear();
                io().poll(Long.MAX_VALUE);
            }

            assertThat(log).containsExactly("reads", "writes true");
            accepts.detach();
            handler.detach();
            accepted.get(0).close();
        }
    }

    @Test
    @Rule("AIO-43")
    void shouldRunBehindTasksAndBeforeTimers() {
        ChannelHandler handler = attachReader("reader", () -> { });
        BottomHalf half = new BottomHalf(io(), "half", () -> log.add("half"));
        new LoopTimer(io(), "timer", () -> log.add("timer")).armAt(io().clock().nanoTime());
        send(1);
        half.schedule();

        io().poll(Long.MAX_VALUE);

        assertThat(log).containsExactly("half", "reader", "timer");
        half.delete();
        handler.detach();
    }

    @Test
    @Rule("AIO-42")
    void shouldLookAtChannelsInEveryTurnThoughATaskQueuesItselfAgain() {
        BottomHalf[] again = new BottomHalf[1];
        again[0] = new BottomHalf(io(), "again", () -> again[0].schedule());
        again[0].schedule();
        ChannelHandler handler = attachReader("reader", () -> { });
        send(1);

        io().poll(Long.MAX_VALUE);

        assertThat(log).containsExactly("reader");
        again[0].delete();
        handler.detach();
    }

    @Test
    @Rule("AIO-83")
    void shouldRunAgainInATurnNestedBeforeItConsumed() {
        ChannelHandler handler = attachReader("reader", () -> {
            if (io().pollDepth() < 3) {
                io().poll(Long.MAX_VALUE);
            } else {
                receive();
            }
        });
        send(1);

        io().poll(Long.MAX_VALUE);

        assertThat(log).hasSize(3);
        assertThat(io().poll(0)).isFalse();
        handler.detach();
    }

    @Test
    @Rule("AIO-29")
    void shouldNotRunInTheOuterTurnWhatANestedOneHasRun() throws IOException {
        Pipe other = nonBlockingPipe();
        ChannelHandler nests = attachReader("nests", () -> {
            receive();
            io().poll(0);
            log.add("nested over");
        });
        ChannelHandler second = ChannelHandler.attach(io(), "second", other.source(), () -> {
            log.add("second");
            receive(other);
        }, null);
        send(1);
        write(other.sink(), 1);

        io().poll(Long.MAX_VALUE);
        io().poll(0);

        assertThat(log.stream().filter("second"::equals)).hasSize(1);
        assertThat(log.indexOf("second")).isNotEqualTo(-1);
        nests.detach();
        second.detach();
        other.source().close();
        other.sink().close();
    }

    @Test
    @Rule("AIO-24")
    @Rule("AIO-25")
    void shouldNotStartAgainOnceDetachedThoughItWasFoundReady() throws IOException {
        Pipe other = nonBlockingPipe();
        List<ChannelHandler> both = new ArrayList<>();
        for (Pipe one : List.of(pipe, other)) {
            both.add(ChannelHandler.attach(io(), "reader", one.source(), () -> {
                log.add("reader");
                both.forEach(ChannelHandler::detach);
            }, null));
        }
        send(1);
        write(other.sink(), 1);

        io().poll(Long.MAX_VALUE);
        io().poll(0);

        assertThat(log).containsExactly("reader");
        assertThat(both).noneMatch(ChannelHandler::isAttached);
        other.source().close();
        other.sink().close();
    }

    @Test
    @Rule("AIO-24")
    @Rule("BUG-87")
    void shouldLeaveTheChannelFreeForAnotherContextWhenItIsDetached() throws IOException {
        Pipe stays = nonBlockingPipe();
        ChannelHandler one = attachReader("one", () -> { });
        ChannelHandler other = ChannelHandler.attach(
                io(), "other", stays.source(), () -> log.add("other"), null);
        send(1);
        one.detach();
        one.detach();
        assertThat(pipe.source().isRegistered()).isFalse();

        AioContext second = new AioContext("second", seams);
        try (Lease ownership = second.acquire()) {
            assertThat(ownership).isNotNull();
            ChannelHandler there = ChannelHandler.attach(
                    second, "there", pipe.source(), () -> log.add("there"), null);
            second.poll(Long.MAX_VALUE);
            there.detach();
        }

        assertThat(log).containsExactly("there");
        other.detach();
        pipe.source().configureBlocking(true);
        stays.source().close();
        stays.sink().close();
    }

    @Test
    @Rule("AIO-23")
    @Rule("BUG-27")
    void shouldForgetWhatWasFoundReadyOnceItIsNotAskedForAnyMore(@TempDir Path directory)
            throws IOException {
        // A Unix socket: it is full when a write says so, and stays it.
        SocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(address);
                SocketChannel peer = SocketChannel.open(address);
                SocketChannel channel = server.accept()) {
            channel.configureBlocking(false);
            peer.write(ByteBuffer.allocate(1));
            List<ChannelHandler> handlers = new ArrayList<>();
            Runnable onReadable = () -> log.add("reads " + receive(channel));
            handlers.add(ChannelHandler.attach(io(), "both", channel, () -> {
                onReadable.run();
                handlers.get(0).update(onReadable, null);
            }, () -> log.add("writes")));
            io().poll(Long.MAX_VALUE);
            while (channel.write(ByteBuffer.allocate(4096)) > 0) {
                log.add("fills");
            }
            log.removeIf("fills"::equals);

            handlers.get(0).update(onReadable, () -> log.add("writes"));
            peer.write(ByteBuffer.allocate(1));
            io().poll(Long.MAX_VALUE);

            assertThat(log).containsExactly("reads 1", "reads 1");
            handlers.get(0).detach();
        }
    }

    @Test
    @Rule("AIO-21")
    void shouldBeDetachedByAnUpdateWithoutCallbacks() {
        ChannelHandler handler = attachReader("reader", () -> { });
        send(1);

        handler.update(null, null);
        io().poll(0);

        assertThat(log).isEmpty();
        assertThat(handler.isAttached()).isFalse();
        assertThatThrownBy(() -> handler.update(() -> { }, null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("reader", "io", Thread.currentThread().getName());
    }

    @Test
    void shouldSleepInASelectorOnlyWhileAChannelIsAttached() {
        assertThat(io().source()).isNull();
        ChannelHandler handler = attachReader("reader", () -> { });
        assertThat(io().source()).hasToString("a selector of 1 channels");

        handler.detach();

        assertThat(io().source()).isNull();
    }

    @Test
    @Rule("AIO-33")
    void shouldBeWokenByPostsOfOtherThreadsWhileItSleepsInItsSelector() throws Exception {
        ChannelHandler handler = attachReader("reader", () -> { });
        int posts = 2_000;
        int[] ran = new int[1];
        AioContext main = io();
        Thread poster = new Thread(() -> {
            for (int i = 0; i < posts; i++) {
                main.execute(() -> ran[0]++);
            }
        });
        poster.start();
        while (ran[0] < posts) {
            io().poll(Long.MAX_VALUE);
        }
        poster.join();

        assertThat(ran[0]).isEqualTo(posts);
        handler.detach();
    }

    @Test
    @Rule("AIO-40")
    void shouldSleepInItsSelectorNoLongerThanToTheNearestTimer() {
        ChannelHandler handler = attachReader("reader", () -> { });
        long begun = io().clock().nanoTime();
        new LoopTimer(io(), "timer", () -> log.add("timer"))
                .armAt(begun + TimeUnit.MICROSECONDS.toNanos(2_500));

        while (log.isEmpty()) {
            io().poll(Long.MAX_VALUE);
        }

        assertThat(io().clock().nanoTime() - begun)
                .isGreaterThanOrEqualTo(TimeUnit.MICROSECONDS.toNanos(2_500));
        handler.detach();
    }

    @Test
    void shouldSleepThoughInterruptedAndNotLetTheInterruptCloseTheChannel() {
        ChannelHandler handler = attachReader("reader", this::receive);
        Thread.currentThread().interrupt();
        long begun = io().clock().nanoTime();

        io().poll(TimeUnit.MILLISECONDS.toNanos(20));
        assertThat(io().clock().nanoTime() - begun)
                .isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(20));
        assertThat(Thread.interrupted()).isTrue();
        send(1);
        Thread.currentThread().interrupt();
        io().poll(Long.MAX_VALUE);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(log).containsExactly("reader");
        assertThat(pipe.source().isOpen()).isTrue();
        handler.detach();
    }

    @Test
    @Rule("AIO-21")
    void shouldReportAndDropAHandlerWhoseChannelWasClosed() throws IOException {
        ChannelHandler handler = attachReader("reader", () -> { });
        pipe.source().close();

        io().poll(0);

        assertThat(errors).singleElement().asString()
                .contains("reader", "io", "closed", "AIO-21");
        assertThat(handler.isAttached()).isFalse();
        assertThat(io().source()).isNull();
        handler.detach();
        assertThat(io().poll(0)).isFalse();
    }

    @Test
    void shouldNotAllocateWhileAChannelIsReady() {
        int[] runs = new int[1];
        ChannelHandler handler = ChannelHandler.attach(
                io(), "reader", pipe.source(), () -> runs[0]++, null);
        send(1);

        Allocation.assertNone(() -> context.poll(Long.MAX_VALUE));
        Allocation.assertNone(() -> {
            context.wake();
            context.poll(Long.MAX_VALUE);
        });

        assertThat(runs[0]).isPositive();
        handler.detach();
    }

    @Test
    void shouldRunTheOthersThoughACallbackThrows() throws IOException {
        Pipe other = nonBlockingPipe();
        ChannelHandler throwing = ChannelHandler.attach(io(), "throws", pipe.source(), () -> {
            receive();
            throw new IllegalStateException("on purpose");
        }, null);
        ChannelHandler sound = ChannelHandler.attach(
                io(), "sound", other.source(), () -> log.add("sound"), null);
        send(1);
        write(other.sink(), 1);

        io().poll(Long.MAX_VALUE);
        io().poll(0);

        assertThat(errors).containsExactly("throws: on purpose");
        assertThat(log).contains("sound");
        throwing.detach();
        sound.detach();
        other.source().close();
        other.sink().close();
    }

    @Test
    @Rule("AIO-21")
    void shouldRefuseAChannelThatIsClosedBlockingOrRegistered() throws IOException {
        ChannelHandler handler = attachReader("reader", () -> { });
        assertRefused("registered already");
        handler.detach();
        pipe.source().configureBlocking(true);
        assertRefused("blocking mode");
        pipe.source().close();
        assertRefused("closed");

        assertThat(io().source()).isNull();
    }

    @Test
    @Rule("AIO-21")
    void shouldRefuseCallbacksThatTheChannelCannotRun() {
        assertThatThrownBy(() -> ChannelHandler.attach(io(), "none", pipe.source(), null, null))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("none");
        assertThatThrownBy(() ->
                ChannelHandler.attach(io(), "writer", pipe.source(), null, () -> { }))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("writer");
        ChannelHandler reader = attachReader("reader", () -> { });
        assertThatThrownBy(() -> reader.update(null, () -> { }))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("reader");
        assertThat(reader.isAttached()).isTrue();
        reader.detach();
    }

    @Test
    @Rule("AIO-24")
    void shouldBeForTheHomeContextOnly() {
        ChannelHandler handler = attachReader("reader", () -> { });
        AioContext foreign = new AioContext("foreign", seams);

        assertThatThrownBy(() ->
                ChannelHandler.attach(foreign, "x", pipe.source(), () -> { }, null))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("foreign");
        List<Throwable> thrown = new ArrayList<>();
        Thread other = new Thread(() -> {
            for (Runnable call : List.<Runnable>of(
                    handler::detach, () -> handler.update(() -> { }, null))) {
                try {
                    call.run();
                } catch (IllegalStateException e) {
                    thrown.add(e);
                }
            }
        });
        other.start();
        joinUninterrupted(other);
        assertThat(thrown).hasSize(2);
        handler.detach();
    }

    @Test
    @Rule("AIO-20")
    void shouldNameOnCloseWhatIsStillAttachedAndLetGoOfIt() {
        ChannelHandler handler = attachReader("reader", () -> { });

        io().close();

        assertThat(errors).singleElement().asString().contains("handler reader is still attached");
        assertThat(handler.isAttached()).isFalse();
        assertThat(pipe.source().isRegistered()).isFalse();
        handler.detach();
        assertThatThrownBy(() -> attachReader("late", () -> { }))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    /** The context, whose home is the thread of the test. */
    private AioContext io() {
        if (!context.isHome() && !context.isGone()) {
            context.acquire();
        }
        return context;
    }

    private ChannelHandler attachReader(String name, Runnable then) {
        return ChannelHandler.attach(io(), name, pipe.source(), () -> {
            log.add(name);
            then.run();
        }, null);
    }

    private void assertRefused(String why) {
        assertThatThrownBy(() -> attachReader("second", () -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(
                        "second", "io", Thread.currentThread().getName(), why, "AIO-21");
    }

    private void send(int bytes) {
        write(pipe.sink(), bytes);
    }

    private int receive() {
        return receive(pipe);
    }

    private static int receive(Pipe from) {
        return receive(from.source());
    }

    private static int receive(ReadableByteChannel from) {
        try {
            return from.read(ByteBuffer.allocate(16));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void write(WritableByteChannel to, int bytes) {
        try {
            to.write(ByteBuffer.allocate(bytes));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static SocketChannel acceptFrom(ServerSocketChannel server) {
        try {
            return server.accept();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean finish(SocketChannel client) {
        try {
            return client.finishConnect();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Pipe nonBlockingPipe() throws IOException {
        Pipe made = Pipe.open();
        made.source().configureBlocking(false);
        made.sink().configureBlocking(false);
        return made;
    }

    private static void joinUninterrupted(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
