package dev.quiesce.examples.daemon.machine;

import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.util.concurrent.CompletionStage;

/** How guests reach exports. */
public interface Transport {
    /**
     * Makes an export's device and lets guests reach it from now on. Main context.
     *
     * @param options the export
     * @param maker makes the device; called once
     * @return the way to it
     * @throws IOException if the host does not give what is needed, such as the socket; no device
     *     was made then
     */
    Connection open(ExportOptions options, DeviceMaker maker) throws IOException;

    /** Makes a device for whatever guest is there. */
    @FunctionalInterface
    interface DeviceMaker {
        /**
         * Makes it. Main context.
         *
         * @param memory the guest's memory
         * @param interrupt the way to the guest
         * @return the device, in reset state
         */
        VirtioScsi make(GuestMemory memory, Interrupt interrupt);
    }

    /** An open way to one device. */
    interface Connection {
        /**
         * The device. Any thread.
         *
         * @return what the maker made
         */
        VirtioScsi device();

        /**
         * Whether a guest is there now. Any thread; a hint.
         *
         * @return true if one is connected
         */
        boolean isConnected();

        /**
         * Shuts the guest out, for good, once everything that it had begun is answered. Any
         * thread; returns at once. Idempotent. The main context has to be polled until it has
         * ended.
         *
         * @return completes when nobody reaches the device any more, and it is in reset state. It
         *     may do so on any thread: one of the transport's own, the main context's, or that of
         *     the caller, within this call or when he looks at the stage. So whoever waits for it
         *     does nothing there but hand on what follows to the context to which that belongs,
         *     as by {@code thenRunAsync(..., main)}
         */
        CompletionStage<Void> closeAsync();
    }
}
