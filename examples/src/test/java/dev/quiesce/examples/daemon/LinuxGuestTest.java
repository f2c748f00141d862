package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.examples.QuiesceProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Unmodified Linux kernels on our disks, under QEMU's TCG and as User-Mode Linux. Not part of the
 * default run: it needs Debian packages, and minutes. See docs/testing.md.
 */
@Tag("guest")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class LinuxGuestTest {
    private static final long DISK_BYTES = 256L << 20;
    private static final long TICK_MILLIS = 100;
    private static final int LOAD_SECONDS = 30;
    private static final int BLOCKS = 40;
    private static final int STALL_TICK = 60;
    private static final int STALL_RESETS = 5;

    @TempDir
    private Path directory;
    private QuiesceProcess daemon;
    private MonitorClient monitor;

    @BeforeAll
    static void setUp() throws Exception {
        LinuxGuest.setUp();
    }

    @BeforeEach
    void start() throws Exception {
        Path image = directory.resolve("image");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(DISK_BYTES);
        }
        daemon = QuiesceProcess.start("storage-daemon",
                "--object", "iothread,id=io0",
                "--object", "iothread,id=io1",
                "--blockdev", "file,node-name=disk0,filename=" + image,
                "--blockdev", "memory,node-name=disk1,size=64M",
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=" + socket()
                        + ",node-name=disk0,num-queues=2,iothread=io0",
                "--monitor", "unix:" + directory.resolve("monitor"),
                "--pidfile", directory.resolve("pid").toString());
        monitor = MonitorClient.openWhenItListens(directory.resolve("monitor"));
    }

    @AfterEach
    void stop() throws Exception {
        monitor.close();
        daemon.signal("TERM");
        assertThat(daemon.exitCode()).as(daemon.err()).isZero();
        assertThat(daemon.err()).doesNotContain("\tat ");
        assertThat(directory.toFile().list()).containsExactly("image");
        daemon.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"uml", "qemu"})
    void shouldHoldAFileSystemAndWhatFioVerifies(String machine) throws Exception {
        try (LinuxGuest guest = boot(machine, "sh /work/filesystem.sh 10")) {
            guest.await("files are what they were");
            guest.await("guest: exit 0");
            guest.end();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"uml", "qemu"})
    void shouldWorkOnWhileTheMonitorDisturbsIt(String machine) throws Exception {
        try (LinuxGuest guest = boot(machine, "sh /work/load.sh " + LOAD_SECONDS)) {
            guest.await("guest: load begins");
            int tick = 0;
            while (!guest.hasSaid("guest: load ended", TICK_MILLIS)) {
                disturb(tick++);
                if (tick == STALL_TICK) {
                    stallOverSomeResets(guest);
                }
            }
            guest.await("guest: exit 0");
            guest.end();

            assertThat(tick).isGreaterThan(LOAD_SECONDS);
            assertThat(guest.count("[sdb] Attached SCSI disk")).as(guest.said()).isPositive();
            assertThat(guest.count("0:0:0:1: Capacity data has changed")).isPositive();
            assertThat(guest.count("[sdb] Synchronizing SCSI cache")).isPositive();
            assertThat(guest.count("0:0:0:0: Power-on or device reset occurred")).isPositive();
        }
        assertThat(monitor.run("query-stats").at("/0/failed").asLong()).isZero();
        assertThat(monitor.run("query-stats").at("/0/context-changes").asLong()).isGreaterThan(50);
    }

    /** The disk moves all the time; once in four seconds another one comes, grows, and goes. */
    private void disturb(int tick) {
        monitor.run("x-blockdev-set-iothread",
                "{'node-name':'disk0','iothread':'io" + tick % 2 + "'}");
        if (tick % 5 == 0) {
            monitor.run("quiesce", "{'node-name':'disk0'}");
            monitor.run("resume", "{'node-name':'disk0'}");
        }
        switch (tick % 40) {
            case 5 -> monitor.run("device_add",
                    "{'driver':'scsi-hd','id':'second','drive':'disk1'}");
            case 20 -> monitor.run("block_resize",
                    "{'node-name':'disk1','size':" + (64 + tick) * 1_048_576L + "}");
            case 35 -> {
                monitor.run("device_del", "{'id':'second'}");
                monitor.event("DEVICE_DELETED");
            }
            default -> { }
        }
    }

    /** Longer than the guest is told to wait; resets cancel what is parked, and it comes again. */
    private void stallOverSomeResets(LinuxGuest guest) throws InterruptedException {
        long cancelled = cancelledWhileParked();
        monitor.run("quiesce", "{'node-name':'disk0'}");
        for (int reset = 0; reset < STALL_RESETS; reset++) {
            guest.await("device reset");
        }
        monitor.run("resume", "{'node-name':'disk0'}");
        assertThat(cancelledWhileParked()).isGreaterThan(cancelled);
    }

    private long cancelledWhileParked() {
        return monitor.run("query-stats").at("/0/cancelled-while-parked").asLong();
    }

    @Test
    void shouldHaveWhatWasFlushedWhenTheGuestIsKilledUnderLoad() throws Exception {
        int flushed;
        try (LinuxGuest guest = boot("qemu", "sh /work/flushed.sh write")) {
            flushed = number(guest.await("guest: flushed " + BLOCKS));
            guest.kill();
        }
        assertThat(flushed).isEqualTo(BLOCKS);
        while (monitor.run("query-block-exports").at("/0/connected").asBoolean()) {
            assertThat(monitor.run("query-stats").at("/0/failed").asLong()).isZero();
        }

        for (String machine : new String[] {"qemu", "uml"}) {
            try (LinuxGuest next = boot(machine, "sh /work/flushed.sh check " + BLOCKS)) {
                next.await(BLOCKS + " blocks are what they were");
                next.await("guest: exit 0");
                next.end();
            }
        }
    }

    private LinuxGuest boot(String machine, String command) throws IOException {
        return LinuxGuest.boot(machine, socket(), 2, command);
    }

    private Path socket() {
        return directory.resolve("socket");
    }

    private static int number(String line) {
        Matcher matcher = Pattern.compile("flushed (\\d+)").matcher(line);
        assertThat(matcher.find()).as(line).isTrue();
        return Integer.parseInt(matcher.group(1));
    }
}
