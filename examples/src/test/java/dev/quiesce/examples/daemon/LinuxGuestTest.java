package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
 * Debian's Linux kernels on our disks, under QEMU's TCG and as User-Mode Linux. Not part of the
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
    private static final int ABORTING_STALLS = 2;
    private static final int FROZEN_TIMES = 5;
    private static final long BYTES_BETWEEN = 8 << 20;
    private static final String KERNEL_ABORTS = " abort"; // once for each function
    private static final String KERNEL_RESETS = "0:0:0:0: device reset";
    private static final String FOLLOWING = "iothread=io0";

    @TempDir
    private Path directory;
    private QuiesceProcess daemon;
    private MonitorClient monitor;

    @BeforeAll
    static void setUp() throws Exception {
        LinuxGuest.setUp();
    }

    @BeforeEach
    void makeImage() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(image().toFile(), "rw")) {
            file.setLength(DISK_BYTES);
        }
    }

    /** Starts the daemon; its disk's queues are served as an export's options say. */
    private void serve(String queues) throws Exception {
        daemon = QuiesceProcess.start("storage-daemon",
                "--object", "iothread,id=io0",
                "--object", "iothread,id=io1",
                "--blockdev", "file,node-name=disk0,filename=" + image(),
                "--blockdev", "memory,node-name=disk1,size=64M",
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=" + socket()
                        + ",node-name=disk0,num-queues=2," + queues,
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
        serve(FOLLOWING);
        try (LinuxGuest guest = boot(machine, "sh /work/filesystem.sh 10")) {
            guest.await("files are what they were");
            guest.await("guest: exit 0");
            guest.end();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"uml", "qemu"})
    void shouldWorkOnWhileTheMonitorDisturbsIt(String machine) throws Exception {
        serve(FOLLOWING);
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

    /** Only under QEMU: the kernel of Debian's User-Mode Linux comes without headers. */
    @ParameterizedTest
    @ValueSource(strings = {FOLLOWING, "iothread.0=io0,iothread.1=io1"})
    void shouldWorkOnAfterTheKernelAbortedWhatWasLate(String queues) throws Exception {
        serve(queues);
        try (LinuxGuest guest = boot("qemu", "sh /work/aborts.sh")) {
            guest.await("guest: load begins");
            for (int stall = 0; stall < ABORTING_STALLS; stall++) {
                awaitRequests();
                stallUntilAborted(guest);
                move(queues, stall);
            }
            awaitRequests();
            stallUntilReset(guest);
            for (int time = 0; time < FROZEN_TIMES; time++) {
                awaitRequests();
                freezeUntilAborted(guest);
                move(queues, time);
            }
            awaitRequests();
            monitor.run("device_add", "{'driver':'scsi-hd','id':'second','drive':'disk1'}");
            guest.await("guest: load ended");
            guest.await("guest: exit 0");
            guest.end();

            assertThat(functions("aborts")).isEqualTo(guest.count(KERNEL_ABORTS));
        }
        assertThat(functions("answered")).isEqualTo(functions("aborts") + functions("resets"));
        assertThat(functions("resets")).isPositive();
        assertThat(monitor.run("query-stats").at("/0/failed").asLong()).isZero();
    }

    /** Aborted in somebody's section: cancelled while parked, and answered before it ends. */
    private void stallUntilAborted(LinuxGuest guest) throws InterruptedException {
        long cancelled = cancelledWhileParked();
        long aborted = commandsAborted();
        long functions = functions("aborts");
        monitor.run("quiesce", "{'node-name':'disk0'}");
        guest.awaitMoreThan(functions, KERNEL_ABORTS);
        while (cancelledWhileParked() == cancelled || commandsAborted() == aborted
                || functions("answered") < functions("aborts")) {
            assertThat(monitor.run("query-stats").at("/0/quiesced").asBoolean()).isTrue();
        }
        monitor.run("resume", "{'node-name':'disk0'}");
    }

    /** What was aborted comes again; when it is late again, the kernel resets the disk. */
    private void stallUntilReset(LinuxGuest guest) throws InterruptedException {
        long aborts = functions("aborts");
        long resets = functions("resets");
        monitor.run("quiesce", "{'node-name':'disk0'}");
        guest.awaitMoreThan(aborts, KERNEL_ABORTS);
        guest.awaitMoreThan(resets, KERNEL_RESETS);
        monitor.run("resume", "{'node-name':'disk0'}");
    }

    /** Nothing runs until an abort lies in its ring: then it and its command race to the end. */
    private void freezeUntilAborted(LinuxGuest guest) throws Exception {
        long functions = functions("aborts");
        daemon.signal("STOP");
        try {
            guest.awaitMoreThan(functions, KERNEL_ABORTS);
        } finally {
            daemon.signal("CONT");
        }
    }

    private void move(String queues, int step) {
        if (queues.equals(FOLLOWING)) {
            monitor.run("x-blockdev-set-iothread",
                    "{'node-name':'disk0','iothread':'io" + (step + 1) % 2 + "'}");
        }
    }

    /** The disk works: requests end, more than can be in flight. */
    private void awaitRequests() {
        long before = moved();
        while (moved() < before + BYTES_BETWEEN) {
            assertThat(monitor.run("query-stats").at("/0/failed").asLong()).isZero();
        }
    }

    private long moved() {
        JsonNode stats = monitor.run("query-stats");
        return stats.at("/0/read-bytes").asLong() + stats.at("/0/written-bytes").asLong();
    }

    private long commandsAborted() {
        return monitor.run("query-stats").at("/0/commands-aborted").asLong();
    }

    private long functions(String kind) {
        return monitor.run("query-block-exports").at("/0/task-functions/" + kind).asLong();
    }

    @Test
    void shouldHaveWhatWasFlushedWhenTheGuestIsKilledUnderLoad() throws Exception {
        serve(FOLLOWING);
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

    private Path image() {
        return directory.resolve("image");
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
