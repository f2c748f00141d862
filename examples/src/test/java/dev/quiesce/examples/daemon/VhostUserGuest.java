package dev.quiesce.examples.daemon;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.virtio.device.QueueSetup;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.newsclub.net.unix.AFPipe;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/**
 * A mock guest of a daemon in another process, by vhost-user without protocol features: the fewest
 * messages that there can be. It looks into its rings by itself, without interrupts. One thread.
 */
final class VhostUserGuest implements AutoCloseable, GuestScsi.Transport {
    private static final long RAM_BASE = 1L << 32;
    private static final int RAM_BYTES = 8 << 20;
    private static final int VERSION = 1;
    private static final int GET_FEATURES = 1;
    private static final int SET_FEATURES = 2;
    private static final int SET_MEM_TABLE = 5;
    private static final int SET_VRING_NUM = 8;
    private static final int SET_VRING_ADDR = 9;
    private static final int SET_VRING_BASE = 10;
    private static final int SET_VRING_KICK = 12;

    final GuestRam ram;
    final GuestScsi driver;
    private final AFUNIXSocket socket;
    private final RandomAccessFile memory;
    private final List<AFPipe> kicks = new ArrayList<>();
    private final long offered;

    VhostUserGuest(Path socketPath, Path memoryFile, int queues) throws IOException {
        socket = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(socketPath));
        memory = new RandomAccessFile(memoryFile.toFile(), "rw");
        memory.setLength(RAM_BYTES);
        ram = GuestRam.builder().add(RAM_BASE, memory.getChannel().map(
                MapMode.READ_WRITE, 0, RAM_BYTES)).build();
        for (int i = 0; i < queues; i++) {
            kicks.add(AFUNIXSelectorProvider.getInstance().openPipe());
        }
        send(GET_FEATURES, payload -> { });
        offered = answer();
        driver = new GuestScsi(this, ram, GuestScsiConfig.likeLinux(), Clock.system());
        driver.begin().toCompletableFuture().join();
    }

    private void send(int request, Consumer<ByteBuffer> content, FileDescriptor... descriptors)
            throws IOException {
        ByteBuffer payload = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
        content.accept(payload);
        ByteBuffer frame = ByteBuffer.allocate(12 + payload.position())
                .order(ByteOrder.nativeOrder())
                .putInt(request).putInt(VERSION).putInt(payload.position()).put(payload.flip());
        if (descriptors.length > 0) {
            socket.setOutboundFileDescriptors(descriptors);
        }
        socket.getOutputStream().write(frame.array());
    }

    private long answer() throws IOException {
        byte[] frame = new byte[12 + Long.BYTES];
        InputStream in = socket.getInputStream();
        for (int at = 0; at < frame.length;) {
            int count = in.read(frame, at, frame.length - at);
            if (count < 0) {
                throw new EOFException("the daemon has closed the connection");
            }
            at += count;
        }
        return ByteBuffer.wrap(frame).order(ByteOrder.nativeOrder()).getLong(12);
    }

    @Override
    public int queues() {
        return kicks.size();
    }

    @Override
    public long offeredFeatures() {
        return offered;
    }

    @Override
    public CompletionStage<Void> reset() {
        return CompletableFuture.completedStage(null); // There was no life before this one.
    }

    @Override
    public CompletionStage<Boolean> negotiate(long features) {
        return done(() -> send(SET_FEATURES, payload -> payload.putLong(features)));
    }

    /** Ring addresses are those of a front end's own process; they can be any. */
    @Override
    public CompletionStage<Boolean> run(List<QueueSetup> rings) {
        return done(() -> {
            send(SET_MEM_TABLE, payload -> payload.putInt(1).putInt(0)
                    .putLong(RAM_BASE).putLong(RAM_BYTES).putLong(RAM_BASE).putLong(0),
                    memory.getFD());
            for (int i = 0; i < rings.size(); i++) {
                int queue = i;
                QueueSetup ring = rings.get(i);
                send(SET_VRING_NUM, payload -> payload.putInt(queue).putInt(ring.sizeEntries()));
                send(SET_VRING_BASE, payload -> payload.putInt(queue).putInt(0));
                send(SET_VRING_ADDR, payload -> payload.putInt(queue).putInt(0)
                        .putLong(ring.descriptorAddress()).putLong(ring.usedAddress())
                        .putLong(ring.availAddress()).putLong(0));
                send(SET_VRING_KICK, payload -> payload.putLong(queue),
                        kicks.get(i).source().getFileDescriptor());
                kicks.get(i).source().close(); // From now on only the daemon has it.
            }
        });
    }

    /** A kick that nobody hears any more is no mistake of the guest. */
    @Override
    public void kick(int queue) {
        try {
            kicks.get(queue).sink().write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.nativeOrder()).putLong(1).flip());
        } catch (IOException unheard) {
            return;
        }
    }

    private static CompletionStage<Boolean> done(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return CompletableFuture.completedStage(true);
    }

    /** Something that is said to the daemon. */
    private interface Step {
        void run() throws IOException;
    }

    @Override
    public void close() throws IOException {
        socket.close();
        memory.close();
        for (AFPipe kick : kicks) {
            kick.sink().close();
        }
    }
}
