package dev.quiesce.examples.daemon;

import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.vhostuser.VhostUserConfig;
import dev.quiesce.vhostuser.VhostUserServer;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Guests of other processes, by vhost-user over Unix sockets. */
final class VhostUserTransport implements Transport {
    @Override
    public Connection open(ExportOptions options, DeviceMaker maker) throws IOException {
        VhostUserConfig config = new VhostUserConfig(options.id(), options.socket(),
                job -> new Thread(job, "vhost-user " + options.id()));
        List<VirtioScsi> made = new ArrayList<>(1);
        try {
            return new Served(VhostUserServer.listen(config, (memory, interrupt) -> {
                VirtioScsi device = maker.make(memory, interrupt);
                made.add(device);
                return device;
            }));
        } catch (IOException | RuntimeException | Error e) {
            made.forEach(VirtioScsi::closeAsync); // nobody else has it, and it sits on its bus
            throw e;
        }
    }

    /**
     * One socket.
     *
     * @param server what listens there
     */
    private record Served(VhostUserServer<VirtioScsi> server) implements Connection {
        @Override
        public VirtioScsi device() {
            return server.device();
        }

        @Override
        public boolean isConnected() {
            return server.status().frontEnd() != null;
        }

        @Override
        public CompletionStage<Void> closeAsync() {
            return server.closeAsync();
        }
    }
}
