package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.examples.QuiesceProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a process of its own can show: signals, exit codes, and what lies about afterwards. */
class StorageDaemonProcessTest {
    private static final List<String> HEEDING_INTERRUPTS = List.of("env", "--default-signal=INT");

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void shouldTakeEverythingDownAndExitWithZeroOnASignal(String signal) throws Exception {
        Path image = Files.write(directory.resolve("image"), new byte[1 << 16]);
        Path pid = directory.resolve("pid");
        try (QuiesceProcess daemon = QuiesceProcess.startWith(HEEDING_INTERRUPTS, "storage-daemon",
                "--object", "iothread,id=io0",
                "--blockdev", "file,node-name=disk0,filename=" + image,
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path="
                        + directory.resolve("socket") + ",node-name=disk0,iothread=io0",
                "--monitor", "unix:" + directory.resolve("monitor"),
                "--pidfile", pid.toString());
                MonitorClient client =
                        MonitorClient.openWhenItListens(directory.resolve("monitor"))) {
            client.run("quiesce", "{'node-name':'disk0'}");
            assertThat(directory.resolve("socket")).exists();

            daemon.signal(signal);

            assertThat(client.event("SHUTDOWN").at("/data/reason").asText())
                    .isEqualTo("host-signal");
            assertThat(daemon.exitCode()).as(daemon.err()).isZero();
            assertThat(daemon.err()).isEmpty();
            assertThat(daemon.restOfOut()).isEmpty();
        }
        assertThat(directory.toFile().list()).containsExactly("image");
    }

    @Test
    void shouldReportWrongUsageInOneLine() throws Exception {
        for (String[] wrong : new String[][] {
            {"storage-daemon", "--no-such"},
            {"storage-daemon", "--blockdev"},
            {"storage-daemon", "--blockdev", "driver=x,node-name=a"},
            {"storage-daemon", "stray"}}) {
            try (QuiesceProcess daemon = QuiesceProcess.start(wrong)) {
                assertThat(daemon.exitCode()).as(String.join(" ", wrong)).isEqualTo(2);
                assertThat(daemon.err().lines()).as(daemon.err()).hasSize(1);
                assertThat(daemon.err()).doesNotContain("Exception");
            }
        }
    }

    @Test
    void shouldRefuseASocketThatAnotherDaemonServes() throws Exception {
        String export = "vhost-user-scsi,id=exp0,addr.type=unix,addr.path="
                + directory.resolve("socket");
        try (QuiesceProcess first = QuiesceProcess.start("storage-daemon", "--export", export,
                "--monitor", "unix:" + directory.resolve("monitor"));
                MonitorClient client =
                        MonitorClient.openWhenItListens(directory.resolve("monitor"));
                QuiesceProcess second =
                        QuiesceProcess.start("storage-daemon", "--export", export)) {
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.err().lines()).hasSize(1);
            assertThat(second.err()).contains(directory.resolve("socket").toString());

            client.run("quit");
            assertThat(first.exitCode()).as(first.err()).isZero();
        }
    }
}
