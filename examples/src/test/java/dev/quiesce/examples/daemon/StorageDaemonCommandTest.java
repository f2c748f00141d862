package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line: exit codes, and one line for every mistake. */
class StorageDaemonCommandTest {
    private static final String ADDRESS = ",addr.type=unix,addr.path=/run/x";

    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--blockdev | file,node-name=a           | parameter 'filename' is missing",
        "--blockdev | file,node-name=a,filename  | 'filename' has no value",
        "--blockdev | raw,node-name=a,file=b     | there is no node 'b'; there are: none",
        "--blockdev | null-co,node-name=-        | malformed name '-'",
        "--blockdev | memory,node-name=a,size=1P | 'size': expected at most",
        "--blockdev | {}                         | parameter 'node-name' is missing",
        "--blockdev | {x                         | malformed JSON",
        "--object   | iothread                   | parameter 'id' is missing",
        "--object   | iothread,id=_              | expected a letter",
        "--export   | nbd,id=e                   | 'type': expected one of vhost-user-scsi",
        "--monitor  | tcp:4444                   | expected unix:PATH, not 'tcp:4444'",
        "--monitor  | unix:                      | expected unix:PATH, not 'unix:'",
    })
    void shouldExitWithTwoAndOneLineForWrongUsage(String option, String value, String complaint) {
        assertThat(run(option, value)).isEqualTo(2);

        assertThat(err.toString().lines()).hasSize(1);
        assertThat(err.toString()).startsWith("storage-daemon: " + option + " " + value + ": ")
                .contains(complaint);
    }

    @Test
    void shouldExitWithTwoForNamesThatNothingHas() {
        assertThat(run("--export", "vhost-user-scsi,id=e,node-name=x" + ADDRESS)).isEqualTo(2);
        assertThat(err.toString()).contains("there is no node 'x'; there are: none");

        assertThat(run("--blockdev", "null-co,node-name=a", "--export",
                "vhost-user-scsi,id=e,node-name=a,iothread=io" + ADDRESS)).isEqualTo(2);
        assertThat(err.toString()).contains("there is no IOThread 'io'; there are: none");
    }

    @Test
    void shouldCarryOutOptionsInTheirOrder() {
        assertThat(run("--blockdev", "raw,node-name=a,file=b", "--blockdev",
                "null-co,node-name=b")).isEqualTo(2);

        assertThat(err.toString()).contains("there is no node 'b'; there are: none");
    }

    @Test
    void shouldExitWithOneForWhatTheHostRefuses() throws IOException {
        assertThat(run("--blockdev", "file,node-name=a,filename=/no/such")).isEqualTo(1);
        assertThat(err.toString()).contains("/no/such").contains("no such file");

        assertThat(run("--export", "vhost-user-scsi,id=e,addr.type=unix,addr.path=/no/such/s"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("socket /no/such/s: No such file or directory");

        assertThat(run("--monitor", "unix:/no/such/s")).isEqualTo(1);
        assertThat(run("--pidfile", "/no/such/pid")).isEqualTo(1);
        assertThat(err.toString()).contains(
                "--pidfile /no/such/pid: /no/such/pid: no such file or directory\n");
    }

    @Test
    void shouldNotTakeThePlaceOfSomethingElse() throws IOException {
        Path file = Files.write(directory.resolve("file"), new byte[] {1});
        assertThat(run("--monitor", "unix:" + file)).isEqualTo(1);
        assertThat(err.toString()).contains("it is not a socket");
        assertThat(file).hasBinaryContent(new byte[] {1});

        Path path = directory.resolve("socket");
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));
            assertThat(run("--monitor", "unix:" + path)).isEqualTo(1);
        }
        assertThat(err.toString()).contains("another process listens there");
        assertThat(path).exists();
    }

    @Test
    void shouldReplaceASocketThatWasLeftBehind() throws Exception {
        Path path = directory.resolve("monitor.sock");
        ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        other.bind(UnixDomainSocketAddress.of(path));
        other.close();

        try (RunningDaemon daemon = new RunningDaemon(directory);
                MonitorClient client = daemon.client()) {
            assertThat(client.run("query-block-exports")).isEmpty();
        }
    }

    @Test
    void shouldHoldItsNumberInAFileWhileItServes() throws Exception {
        Path pid = directory.resolve("pid");
        Files.writeString(pid, "999999999999\n");
        try (RunningDaemon daemon = new RunningDaemon(directory, "--pidfile", pid.toString())) {
            assertThat(pid).hasContent(String.valueOf(ProcessHandle.current().pid()));
            assertThat(daemon.monitor).exists();
        }
        assertThat(pid).doesNotExist();
    }

    @Test
    void shouldTakeDownWhatItHadBuiltWhenALaterOptionFails() {
        Path socket = directory.resolve("m");

        assertThat(run("--object", "iothread,id=io0",
                "--blockdev", "null-co,node-name=a",
                "--export", "vhost-user-scsi,id=e,node-name=a,iothread=io0" + ADDRESS,
                "--monitor", "unix:" + socket,
                "--blockdev", "file,node-name=b,filename=/no/such")).isEqualTo(1);

        assertThat(socket).doesNotExist();
        assertThat(Thread.getAllStackTraces().keySet().stream().map(Thread::getName))
                .doesNotContain("io0", "monitor");
    }

    private int run(String... arguments) {
        return RunningDaemon.line(new MockGuests(), () -> { })
                .setErr(new PrintWriter(err)).execute(arguments);
    }
}
