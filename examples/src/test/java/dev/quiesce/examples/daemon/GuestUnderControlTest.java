package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest works and compares while an operator does everything to its disks that he can. */
class GuestUnderControlTest {
    private static final int ROUNDS = 60;

    @TempDir
    private Path directory;

    @Test
    void shouldFollowItsDiskFromThreadToThread() throws Exception {
        shouldSeeNoErrorWhateverTheMonitorDoes("iothread=io0");
    }

    @Test
    void shouldStayInThreadsThatAreFixed() throws Exception {
        shouldSeeNoErrorWhateverTheMonitorDoes("iothread.0=io0,iothread.1=io1");
    }

    private void shouldSeeNoErrorWhateverTheMonitorDoes(String threads) throws Exception {
        Path image = directory.resolve("image");
        Files.write(image, new byte[1 << 20]);
        try (RunningDaemon daemon = new RunningDaemon(directory,
                "--object", "iothread,id=io0",
                "--object", "iothread,id=io1",
                "--blockdev", "file,node-name=disk0,filename=" + image,
                "--blockdev", "memory,node-name=disk1,size=1M",
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=/run/x,"
                        + "node-name=disk0,num-queues=2," + threads);
                MonitorClient client = daemon.client()) {
            WorkingGuest guest = new WorkingGuest(daemon.guests.slot("exp0"));
            CompletableFuture<Void> work = CompletableFuture.runAsync(guest,
                    job -> new Thread(job, "guest").start());

            for (int round = 0; round < ROUNDS && !work.isDone(); round++) {
                disturb(client, round, threads.contains("iothread.1"));
                long seen = guest.rounds.get();
                while (guest.rounds.get() < seen + 2 && !work.isDone()) {
                    assertThat(client.run("query-stats").at("/0/failed").asLong()).isZero();
                }
            }
            guest.stop();
            work.join();

            assertThat(guest.plugged.get()).isPositive();
            assertThat(guest.unplugged.get()).isPositive();
            assertThat(guest.resized.get()).isPositive();
            assertThat(client.fail("block-export-del", "{'id':'exp0'}"))
                    .contains("a guest is connected");
            client.run("block-export-del", "{'id':'exp0','mode':'hard'}");
            client.event("BLOCK_EXPORT_DELETED");
        }
    }

    private static void disturb(MonitorClient client, int round, boolean fixed) {
        if (!fixed) {
            client.run("x-blockdev-set-iothread",
                    "{'node-name':'disk0','iothread':'io" + round % 2 + "'}");
        }
        client.run("quiesce", "{'node-name':'disk0'}");
        awaitRest(client);
        client.run("resume", "{'node-name':'disk0'}");
        client.run("device_add", "{'driver':'scsi-hd','id':'second','drive':'disk1'}");
        client.run("block_resize",
                "{'node-name':'disk1','size':" + (1 + round % 3) * 524_288 + "}");
        client.run("device_del", "{'id':'second'}");
        client.event("DEVICE_DELETED");
    }

    /**
     * A request that is about to park is counted for a moment, also within a section; and for as
     * long as its thread gets no time in that moment. It is the guest's only one.
     */
    private static void awaitRest(MonitorClient client) {
        while (client.run("query-stats").at("/0/in-flight").asLong() != 0) {
            assertThat(client.run("query-stats").at("/0/quiesced").asBoolean()).isTrue();
        }
    }
}
