package dev.quiesce.examples.daemon;

import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Reaches exports by a mock guest in this process instead of a socket. As a server of sockets does,
 * it says on a thread of its own that it has closed.
 */
final class MockGuests implements Transport {
    private static final String THREAD = "mock transport";
    private static final long RAM_BASE = 1L << 32;
    private static final int RAM_BYTES = 8 << 20;

    private final Map<String, Slot> slots = new ConcurrentHashMap<>();

    /** What a guest of one export needs. */
    record Slot(VirtioScsi device, GuestRam ram, GuestInterrupts interrupts, AtomicBoolean open,
            boolean isBroken, boolean isStuck) implements Connection {
        /** A broken one's device cannot be started, only closed. */
        @Override
        public VirtioScsi device() {
            if (isBroken && open.get()) {
                throw new IllegalStateException("the device is broken");
            }
            return device;
        }

        @Override
        public boolean isConnected() {
            return device.status() != 0;
        }

        /**
         * The stage has to be looked at: then it completes, surely on the other thread. That of a
         * stuck one fails.
         */
        @Override
        public CompletionStage<Void> closeAsync() {
            open.set(false);
            CompletableFuture<Void> closed = new CompletableFuture<>();
            device.writeStatus(0).whenComplete((reset, failure) -> new Thread(
                    () -> completeOnceAwaited(closed, isStuck
                            ? new IllegalStateException("the guest is stuck") : failure),
                    THREAD).start());
            return closed;
        }

        private static void completeOnceAwaited(
                CompletableFuture<Void> closed, @Nullable Throwable failure) {
            try {
                Spin.until(() -> closed.getNumberOfDependents() > 0,
                        () -> "nobody waits for the close");
            } catch (IllegalStateException e) {
                closed.completeExceptionally(e);
            }
            if (failure == null) {
                closed.complete(null);
            } else {
                closed.completeExceptionally(failure);
            }
        }
    }

    @Override
    public Connection open(ExportOptions options, DeviceMaker maker) throws IOException {
        if (options.socket().startsWith("/no/such")) {
            throw new IOException("No such file or directory");
        }
        GuestRam ram = GuestRam.direct(RAM_BASE, RAM_BYTES);
        GuestInterrupts interrupts = new GuestInterrupts();
        Slot slot = new Slot(
                maker.make(ram, interrupts), ram, interrupts, new AtomicBoolean(true),
                options.socket().startsWith("/run/broken"),
                options.socket().startsWith("/run/stuck"));
        slots.put(options.id(), slot);
        return slot;
    }

    Slot slot(String export) {
        Slot slot = slots.get(export);
        if (slot == null) {
            throw new AssertionError("no export " + export);
        }
        return slot;
    }
}
