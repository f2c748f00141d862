package dev.quiesce.examples.daemon;

import static dev.quiesce.examples.daemon.MonitorClient.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The protocol and every command, over a real socket. */
class MonitorTest {
    @TempDir
    private Path directory;
    private RunningDaemon daemon;
    private MonitorClient client;

    @BeforeEach
    void start() throws IOException {
        daemon = new RunningDaemon(directory,
                "--object", "iothread,id=io0",
                "--object", "iothread,id=io1",
                "--blockdev", "memory,node-name=disk0,size=1M",
                "--blockdev", "memory,node-name=disk1,size=1M",
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=/run/x,"
                        + "node-name=disk0,num-queues=2,iothread=io0");
        client = daemon.client();
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        daemon.close();
        assertThat(directory.resolve("monitor.sock")).doesNotExist();
    }

    @Test
    void shouldGreetAndWantCapabilitiesFirst() throws IOException {
        try (MonitorClient fresh = MonitorClient.connect(daemon.monitor)) {
            assertThat(fresh.greeting.at("/QMP/capabilities").isArray()).isTrue();
            assertThat(fresh.greeting.at("/QMP/version/quiesce/major").isInt()).isTrue();
            assertThat(fresh.ask("{'execute':'query-stats'}").at("/error/class").asText())
                    .isEqualTo("CommandNotFound");
            assertThat(fresh.ask("{'execute':'qmp_capabilities','id':7}"))
                    .isEqualTo(json("{'return':{},'id':7}"));
            assertThat(fresh.ask("{'execute':'qmp_capabilities'}").at("/error/class").asText())
                    .isEqualTo("CommandNotFound");
        }
    }

    @Test
    void shouldGiveBackAnyId() {
        for (String id : List.of("'a'", "1", "[1,{'x':null}]", "null", "1.50",
                "12345678901234567890123", "1e400")) {
            JsonNode answer = client.ask("{'execute':'query-commands','id':" + id + "}");

            assertThat(answer.get("id")).isEqualTo(json(id));
        }
    }

    @Test
    void shouldGoOnAfterEverythingThatIsNoCommand() {
        for (String line : List.of("garbage", "{", "[]", "1", "''", "{'execute':1}", "{}",
                "{'execute':'query-stats','arguments':[]}", "{'execute':'query-stats','x':1}",
                "{'execute':'a','execute':'b'}", "{'exec-oob':'x'}", "{'id':1e99999999999}",
                "{'id':1e-99999999999}")) {
            JsonNode answer = client.ask(line);

            assertThat(answer.at("/error/class").asText()).as(line).isEqualTo("GenericError");
            assertThat(answer.at("/error/desc").asText()).as(line).isNotEmpty();
        }
        assertThat(client.ask("{'execute':'no-such'}").at("/error/class").asText())
                .isEqualTo("CommandNotFound");
        assertThat(client.run("query-commands").isArray()).isTrue();
    }

    @Test
    void shouldAnswerEveryLineOfNonsenseExactlyOnce() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<String> sane = new ArrayList<>();
        for (JsonNode each : client.run("query-commands")) {
            String name = each.get("name").asText();
            if (!name.equals("quit")) {
                sane.add("{\"execute\":\"" + name + "\",\"arguments\":{\"node-name\":"
                        + "\"disk0\",\"id\":\"x\",\"size\":4096,\"driver\":\"null-co\"},"
                        + "\"id\":1}");
            }
        }
        for (int i = 0; i < 500; i++) {
            StringBuilder line = new StringBuilder(sane.get(random.nextInt(sane.size())));
            for (int change = random.nextInt(4); change > 0; change--) {
                int at = random.nextInt(line.length());
                line.setCharAt(at, (char) (' ' + random.nextInt(200)));
                line.delete(at / 2, at / 2 + random.nextInt(3));
            }
            JsonNode answer = askRaw("x" + line);
            assertThat(answer.has("error")).as("seed %d: %s", seed, line).isTrue();
            answer = askRaw(line.toString());
            assertThat(answer.has("error") != answer.has("return"))
                    .as("seed %d: %s", seed, line).isTrue();
        }
        assertThat(client.ask("{'execute':'query-commands','id':'last'}").get("id").asText())
                .isEqualTo("last");
    }

    private JsonNode askRaw(String line) {
        client.sendRaw(line + "\n");
        return client.answer();
    }

    @Test
    void shouldSayWhatIsWrongWithALineInWordsForPeople() throws IOException {
        String deep = "{\"a\":".repeat(100);
        for (String line : List.of("{\"execute\":\"a\"} {}", "{\"execute\":", deep,
                "{\"id\":" + "1".repeat(5000) + "}", "{\"" + "n".repeat(60_000) + "\":1}",
                "{\"id\":1e99999999999}")) {
            assertThat(askRaw(line).at("/error/desc").asText())
                    .startsWith("malformed JSON").doesNotContain("jackson", "Feature", "Stream");
        }
        assertThat(askRaw("{\"" + "n".repeat(60_000) + "\":1}").at("/error/desc").asText())
                .contains("a name of more than 50000 characters");
        byte[] noText = {'{', '"', (byte) 0xFF, '"', ':', '1', '}', '\n'};
        client.sendRaw(noText);
        assertThat(client.answer().at("/error/desc").asText()).contains("UTF-8");

        assertThat(client.run("query-commands").isArray()).isTrue();
    }

    @Test
    void shouldTakeTheSendersLastLineAlsoWithoutItsEnd() throws IOException {
        client.sendRaw("{\"execute\":\"query-iothreads\",\"id\":1}");
        client.closeOutput();

        assertThat(client.answer().get("id").asInt()).isEqualTo(1);
        assertThat(client.isHungUp()).isTrue();
    }

    @Test
    void shouldGoOnAfterALineThatIsTooLong() {
        client.sendRaw("{\"execute\":\"" + "x".repeat(200_000) + "\"}\n");
        assertThat(client.answer().at("/error/desc").asText()).contains("65536 bytes");

        assertThat(client.run("query-commands").isArray()).isTrue();
    }

    @Test
    void shouldAnswerPipelinedCommandsInOrderAlsoAfterTheSendersEnd() throws IOException {
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            many.append("{\"execute\":\"query-commands\",\"id\":").append(i).append("}\n");
        }
        Thread sender = new Thread(() -> client.sendRaw(many.toString()));
        sender.start();

        for (int i = 0; i < 3000; i++) {
            assertThat(client.answer().get("id").asInt()).isEqualTo(i);
        }
        client.closeOutput();
        assertThat(client.isHungUp()).isTrue();
    }

    @Test
    void shouldListItsCommands() {
        List<String> names = new ArrayList<>();
        client.run("query-commands").forEach(each -> names.add(each.get("name").asText()));

        assertThat(names).contains("query-block-exports", "query-named-block-nodes",
                "blockdev-add", "blockdev-del", "block-export-add", "block-export-del",
                "x-blockdev-set-iothread", "device_add", "device_del", "quiesce", "resume",
                "block_resize", "query-stats", "quit", "query-commands", "query-iothreads",
                "object-add", "object-del", "qom-set", "qom-get", "qmp_capabilities");
    }

    @Test
    void shouldRefuseWrongArgumentsOfEveryCommandAndGoOn() {
        for (JsonNode each : client.run("query-commands")) {
            String name = each.get("name").asText();
            if (!name.equals("qmp_capabilities")) {
                assertThat(client.fail(name, "{'no-such-parameter':1}")).as(name)
                        .contains("parameter");
            }
        }
        for (String name : List.of("blockdev-del", "quiesce", "resume", "block_resize",
                "x-blockdev-set-iothread")) {
            assertThat(client.fail(name, "{}")).isEqualTo("parameter 'node-name' is missing");
            assertThat(client.fail(name, "{'node-name':{}}"))
                    .isEqualTo("parameter 'node-name': expected a string that is not empty,"
                            + " not an object");
        }
        for (String name : List.of("device_del", "object-del", "block-export-del")) {
            assertThat(client.fail(name, "{}")).isEqualTo("parameter 'id' is missing");
        }
        assertThat(client.fail("block_resize", "{'node-name':'disk0','size':'1M'}"))
                .isEqualTo("parameter 'size': expected a number of bytes, not '1M'");
        assertThat(client.fail("x-blockdev-set-iothread", "{'node-name':'disk0'}"))
                .isEqualTo("parameter 'iothread' is missing");
        assertThat(client.fail("block-export-del", "{'id':'exp0','mode':'now'}"))
                .isEqualTo("parameter 'mode': expected one of safe, hard, not 'now'");
    }

    @Test
    void shouldAddAndDeleteNodes() throws IOException {
        Path image = directory.resolve("image");
        Files.write(image, new byte[8192]);
        client.run("blockdev-add", "{'driver':'file','node-name':'f','filename':'" + image + "'}");
        client.run("blockdev-add", "{'driver':'raw','node-name':'r','file':'f','offset':512}");
        client.run("blockdev-add", "{'driver':'overlay','node-name':'o','file':"
                + "{'driver':'null-co','size':4096}}");

        JsonNode nodes = client.run("query-named-block-nodes");
        assertThat(nodes).hasSize(6);
        assertThat(node(nodes, "f").at("/image/filename").asText()).isEqualTo(image.toString());
        assertThat(node(nodes, "r").at("/image/virtual-size").asLong()).isEqualTo(7680);
        assertThat(node(nodes, "r").get("children")).isEqualTo(json("['f']"));
        assertThat(client.fail("blockdev-del", "{'node-name':'f'}")).contains("in use by [r]");
        client.run("blockdev-del", "{'node-name':'r'}");
        client.run("blockdev-del", "{'node-name':'f'}");
        client.run("blockdev-del", "{'node-name':'o'}");
        assertThat(client.run("query-named-block-nodes")).hasSize(2);
    }

    @Test
    void shouldSayWhyANodeCannotBeAdded() {
        assertThat(client.fail("blockdev-add",
                "{'driver':'file','node-name':'f','filename':'/no/such/file'}"))
                .contains("/no/such/file", "no such file");
        assertThat(client.fail("blockdev-add",
                "{'driver':'null-co','node-name':'disk0'}")).contains("'disk0' is taken");
        assertThat(client.fail("blockdev-add", "{'driver':'null-co','node-name':'0 0'}"))
                .contains("malformed name '0 0'");
        assertThat(client.fail("blockdev-add", "{'driver':'raw','node-name':'r','file':'x'}"))
                .isEqualTo("there is no node 'x'; there are: disk0, disk1");
        assertThat(client.fail("blockdev-add",
                "{'driver':'memory','node-name':'m','size':9223372036854775807}"))
                .contains("at most 16T bytes");
        assertThat(client.fail("blockdev-add", "{'driver':'raw','node-name':'r','size':9999,"
                + "'file':{'driver':'null-co','node-name':'n','size':512}}"))
                .contains("does not fit");
        assertThat(client.run("query-named-block-nodes")).hasSize(2);
    }

    @Test
    void shouldMakeAndDeleteIoThreads() {
        client.run("object-add", "{'qom-type':'iothread','id':'io9','poll-max-ns':5}");
        assertThat(client.fail("object-add", "{'qom-type':'iothread','id':'io9'}"))
                .contains("'io9' is there already");
        assertThat(client.fail("object-add", "{'qom-type':'iothread','id':'main'}"))
                .contains("'main' is there already");
        assertThat(client.fail("object-add", "{'qom-type':'iothread','id':'9'}"))
                .contains("expected a letter");
        assertThat(client.run("query-iothreads")).hasSize(3);

        client.run("x-blockdev-set-iothread", "{'node-name':'disk1','iothread':'io9'}");
        assertThat(client.fail("object-del", "{'id':'io9'}")).contains("where node 'disk1' lives");
        client.run("x-blockdev-set-iothread", "{'node-name':'disk1','iothread':null}");
        client.run("object-del", "{'id':'io9'}");
        assertThat(client.fail("object-del", "{'id':'io9'}"))
                .isEqualTo("there is no IOThread 'io9'; there are: io0, io1");
        assertThat(client.fail("object-del", "{'id':'io0'}")).contains("serves export 'exp0'");
    }

    @Test
    void shouldShowAndChangeHowAnIoThreadWorks() {
        client.run("object-add", "{'qom-type':'iothread','id':'io9','poll-max-ns':5000,"
                + "'poll-grow':3,'poll-shrink':4,'thread-pool-max':7}");
        JsonNode shown = client.run("query-iothreads").get(2);
        assertThat(shown.get("id").asText()).isEqualTo("io9");
        assertThat(shown.get("poll-max-ns").asLong()).isEqualTo(5000);
        assertThat(shown.get("poll-grow").asLong()).isEqualTo(3);
        assertThat(shown.get("poll-shrink").asLong()).isEqualTo(4);
        assertThat(shown.get("thread-pool-max").asLong()).isEqualTo(7);

        set("poll-max-ns", 0);
        set("poll-grow", 5);
        set("poll-shrink", 6);
        set("aio-max-batch", 16);
        set("thread-pool-max", 9);
        set("thread-pool-min", 2);

        for (String each : List.of("poll-max-ns=0", "poll-grow=5", "poll-shrink=6",
                "aio-max-batch=16", "thread-pool-max=9", "thread-pool-min=2")) {
            String name = each.substring(0, each.indexOf('='));
            String value = each.substring(each.indexOf('=') + 1);
            assertThat(client.run("query-iothreads").get(2).get(name).asText()).isEqualTo(value);
            assertThat(client.run("qom-get", "{'path':'io9','property':'" + name + "'}").asText())
                    .isEqualTo(value);
        }
    }

    @Test
    void shouldRefuseWhatAnIoThreadCannotBe() {
        assertThat(client.fail("qom-set", "{'path':'/objects/io0','property':'poll-max-ns'}"))
                .isEqualTo("parameter 'value' is missing");
        assertThat(client.fail("qom-set",
                "{'path':'/objects/io0','property':'poll-max-ns','value':-1}"))
                .contains("'value': expected a whole number, at least 0, not -1");
        assertThat(client.fail("qom-set",
                "{'path':'/objects/io7','property':'poll-max-ns','value':1}"))
                .isEqualTo("there is no IOThread 'io7'; there are: io0, io1");
        assertThat(client.fail("qom-set", "{'path':'io0','property':'colour','value':1}"))
                .contains("'property': expected one of poll-max-ns", "not 'colour'");
        assertThat(client.fail("qom-set",
                "{'path':'io0','property':'thread-pool-min','value':65}")).contains("65", "64");
        assertThat(client.run("qom-get", "{'path':'io0','property':'thread-pool-min'}").asInt())
                .isZero();
    }

    private void set(String property, long value) {
        client.run("qom-set", "{'path':'/objects/io9','property':'" + property + "','value':"
                + value + "}");
    }

    @Test
    void shouldMoveDisksBetweenIoThreads() {
        client.run("x-blockdev-set-iothread", "{'node-name':'disk0','iothread':'io1'}");

        assertThat(node(client.run("query-named-block-nodes"), "disk0").get("iothread").asText())
                .isEqualTo("io1");
        assertThat(client.fail("x-blockdev-set-iothread",
                "{'node-name':'disk0','iothread':'io7'}"))
                .isEqualTo("there is no IOThread 'io7'; there are: io0, io1");
        assertThat(client.fail("object-del", "{'id':'io1'}")).contains("serves export 'exp0'");
    }

    @Test
    void shouldRefuseToMoveADiskWhoseThreadIsFixed() {
        client.run("block-export-add", "{'type':'vhost-user-scsi','id':'fix','addr':"
                + "{'type':'unix','path':'/run/y'},'node-name':'disk1','iothread':'io1',"
                + "'fixed-iothread':true}");

        assertThat(client.fail("x-blockdev-set-iothread",
                "{'node-name':'disk1','iothread':'io0'}")).contains("fix-lun0", "may not move");
    }

    @Test
    void shouldAddAndDeleteExports() {
        client.run("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/y'},'node-name':['disk1','disk0'],"
                + "'writable':false}");

        JsonNode exports = client.run("query-block-exports");
        assertThat(exports).hasSize(2);
        assertThat(exports.get(1).at("/luns/1/node-name").asText()).isEqualTo("disk0");
        assertThat(exports.get(1).at("/luns/1/lun").asInt()).isEqualTo(1);
        assertThat(client.fail("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/y'}}")).contains("'e1' is there already");
        client.run("block-export-del", "{'id':'e1'}");
        assertThat(client.event("BLOCK_EXPORT_DELETED").at("/data/id").asText()).isEqualTo("e1");
        assertThat(client.run("query-block-exports")).hasSize(1);
        assertThat(client.fail("block-export-del", "{'id':'e1'}"))
                .isEqualTo("there is no export 'e1'; there are: exp0");
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    @Test
    void shouldLeaveNothingOfAnExportThatFailed() {
        assertThat(client.fail("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/no/such/path'},'node-name':'disk1'}"))
                .isEqualTo("socket /no/such/path: No such file or directory");
        assertThat(client.fail("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/y'},'node-name':['disk1','nope']}"))
                .contains("there is no node 'nope'");
        assertThat(client.fail("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/y'},'iothread':'nope'}"))
                .contains("there is no IOThread 'nope'");

        assertThat(client.run("query-block-exports")).hasSize(1);
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    /** Guests had been let in: nobody must go on listening for an export that is forgotten. */
    @Test
    void shouldLetNobodyInToAnExportThatCannotServe() {
        assertThat(client.fail("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/broken'},'node-name':'disk1'}"))
                .isEqualTo("the device is broken");

        assertThat(daemon.guests.slot("e1").open()).isFalse();
        assertThat(client.run("query-block-exports")).hasSize(1);
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    /** The transport says so on a thread of its own, and the disks go in the main context. */
    @Test
    void shouldTakeItsDisksFromAnExportWhoseGuestCannotBeShutOut() {
        client.run("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/stuck'},'node-name':'disk1'}");

        client.run("block-export-del", "{'id':'e1'}");
        client.event("BLOCK_EXPORT_DELETED");

        assertThat(client.run("query-block-exports")).hasSize(1);
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    @Test
    void shouldQuitWhileAnExportIsBeingMade() throws Exception {
        StringBuilder nodes = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            client.run("blockdev-add", "{'driver':'null-co','node-name':'n" + i + "'}");
            nodes.append(i == 0 ? "" : ",").append("'n").append(i).append("'");
        }
        try (MonitorClient other = daemon.client()) {
            client.send("{'execute':'block-export-add','arguments':{'type':'vhost-user-scsi',"
                    + "'id':'e1','addr':{'type':'unix','path':'/run/y'},'node-name':["
                    + nodes + "]}}");
            other.send("{'execute':'quit'}");

            assertThat(daemon.exitCode()).isZero();
        }
    }

    @Test
    void shouldLeaveNoDiskBehindThatIsPluggedWhileItsExportGoes() throws IOException {
        try (MonitorClient other = daemon.client()) {
            for (int i = 0; i < 20; i++) {
                String export = "e" + i;
                client.run("block-export-add", "{'type':'vhost-user-scsi','id':'" + export
                        + "','addr':{'type':'unix','path':'/run/y'}}");
                for (int k = 0; k < 6; k++) {
                    client.send("{'execute':'device_add','arguments':{'driver':'scsi-hd','id':'"
                            + export + "d" + k + "','drive':'disk1','bus':'" + export + "'}}");
                }
                other.run("block-export-del", "{'id':'" + export + "','mode':'hard'}");
                other.event("BLOCK_EXPORT_DELETED");
                for (int k = 0; k < 6; k++) {
                    client.answer();
                }

                assertThat(client.run("query-stats").findValuesAsText("device"))
                        .containsExactly("exp0-lun0");
            }
        }
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    @Test
    void shouldPlugAndUnplugDisks() {
        client.run("device_add", "{'driver':'scsi-hd','id':'d1','drive':'disk1'}");
        assertThat(client.run("query-block-exports").at("/0/luns/1"))
                .isEqualTo(json("{'id':'d1','node-name':'disk1','scsi-id':0,'lun':1}"));
        assertThat(client.fail("device_add", "{'driver':'scsi-hd','id':'d1','drive':'disk1'}"))
                .contains("'d1' is there already");
        assertThat(client.fail("device_add",
                "{'driver':'scsi-hd','id':'d2','drive':'disk1','lun':1}")).contains("occupied");
        assertThat(client.fail("device_add",
                "{'driver':'scsi-hd','id':'d2','drive':'nope'}")).contains("no node 'nope'");
        assertThat(client.fail("device_add",
                "{'driver':'scsi-hd','id':'d2','drive':'disk1','bus':'nope.0'}"))
                .isEqualTo("there is no export 'nope'; there are: exp0");

        client.run("device_del", "{'id':'d1'}");
        assertThat(client.event("DEVICE_DELETED").at("/data/device").asText()).isEqualTo("d1");
        JsonNode gone = client.ask("{'execute':'device_del','arguments':{'id':'d1'}}");
        assertThat(gone.at("/error/class").asText()).isEqualTo("DeviceNotFound");
        client.run("blockdev-del", "{'node-name':'disk1'}");
    }

    @Test
    void shouldAskWhichExportADiskIsFor() {
        client.run("block-export-add", "{'type':'vhost-user-scsi','id':'e1','addr':"
                + "{'type':'unix','path':'/run/y'}}");

        assertThat(client.fail("device_add", "{'driver':'scsi-hd','id':'d1','drive':'disk1'}"))
                .isEqualTo("parameter 'bus' is missing: there are 2 exports");
        client.run("device_add", "{'driver':'scsi-hd','id':'d1','drive':'disk1','bus':'e1.0'}");
    }

    @Test
    void shouldResizeNodes() {
        client.run("block_resize", "{'node-name':'disk0','size':65536}");

        assertThat(node(client.run("query-named-block-nodes"), "disk0")
                .at("/image/virtual-size").asLong()).isEqualTo(65536);
        client.run("blockdev-add",
                "{'driver':'null-co','node-name':'ro','read-only':true,'size':512}");
        assertThat(client.fail("block_resize", "{'node-name':'ro','size':1024}"))
                .isEqualTo("node 'ro' was not resized to 1024 bytes: it is read-only");
        assertThat(client.fail("block_resize", "{'node-name':'disk0','size':-1}"))
                .contains("expected a number of bytes, not -1");
        assertThat(client.fail("block_resize", "{'node-name':'disk0','size':9223372036854775807}"))
                .contains("has no such length");
    }

    @Test
    void shouldHoldASectionUntilItIsResumed() {
        client.run("quiesce", "{'node-name':'disk0'}");
        assertThat(client.run("query-stats").at("/0/quiesced").asBoolean()).isTrue();
        assertThat(client.fail("quiesce", "{'node-name':'disk0'}")).contains("already");
        assertThat(client.fail("blockdev-del", "{'node-name':'disk0'}"))
                .isEqualTo("node 'disk0' is quiesced: resume it first");
        assertThat(client.fail("resume", "{'node-name':'disk1'}"))
                .isEqualTo("this client has not quiesced node 'disk1'; it has quiesced: disk0");

        client.run("resume", "{'node-name':'disk0'}");
        assertThat(client.run("query-stats").at("/0/quiesced").asBoolean()).isFalse();
    }

    @Test
    void shouldUnplugADiskThatIsQuiesced() {
        client.run("quiesce", "{'node-name':'disk0'}");

        client.run("device_del", "{'id':'exp0-lun0'}");
        client.event("DEVICE_DELETED");

        client.run("resume", "{'node-name':'disk0'}");
        client.run("blockdev-del", "{'node-name':'disk0'}");
        assertThat(client.run("query-block-exports").at("/0/luns")).isEmpty();
    }

    @Test
    void shouldResumeWhatAClientHeldThatHasGone() throws IOException {
        try (MonitorClient other = daemon.client()) {
            other.run("quiesce", "{'node-name':'disk0'}");
            assertThat(client.fail("resume", "{'node-name':'disk0'}")).contains("not quiesced");
            other.send("{'execute':'quiesce','arguments':{'node-name':'disk1'}}");
        }

        while (client.run("query-named-block-nodes").findValues("quiesced").stream()
                .anyMatch(JsonNode::asBoolean)) {
            assertThat(client.run("query-stats").at("/0/in-flight").asLong()).isZero();
        }
        client.run("quiesce", "{'node-name':'disk0'}");
        client.run("resume", "{'node-name':'disk0'}");
    }

    @Test
    void shouldTellEveryClientOfEvents() throws IOException {
        try (MonitorClient other = daemon.client();
                MonitorClient mute = MonitorClient.connect(daemon.monitor)) {
            client.run("device_del", "{'id':'exp0-lun0'}");

            for (MonitorClient each : List.of(client, other)) {
                JsonNode event = each.event("DEVICE_DELETED");
                assertThat(event.at("/data/device").asText()).isEqualTo("exp0-lun0");
                assertThat(Instant.ofEpochSecond(event.at("/timestamp/seconds").asLong(),
                        event.at("/timestamp/microseconds").asLong() * 1000))
                        .as("even if somebody sets the host's clock meanwhile")
                        .isCloseTo(Instant.now(), within(1, ChronoUnit.DAYS));
                assertThat(event.at("/timestamp/microseconds").asLong()).isBetween(0L, 999_999L);
            }
            assertThat(mute.ask("{'execute':'qmp_capabilities'}")).isEqualTo(json("{'return':{}}"));
        }
    }

    @Test
    void shouldSayGoodbyeWhenItQuits() throws Exception {
        try (MonitorClient other = daemon.client()) {
            other.run("quiesce", "{'node-name':'disk0'}");
            client.run("quit");

            assertThat(other.event("SHUTDOWN").get("data"))
                    .isEqualTo(json("{'guest':false,'reason':'host-qmp-quit'}"));
            assertThat(other.isHungUp()).isTrue();
            assertThat(daemon.exitCode()).isZero();
        }
    }

    @Test
    void shouldDropAClientThatDoesNotListenAndResumeWhatItHeld() throws Exception {
        try (MonitorClient deaf = daemon.client()) {
            deaf.send("{'execute':'quiesce','arguments':{'node-name':'disk0'}}");

            assertThatThrownBy(() -> flood(deaf)).isInstanceOf(UncheckedIOException.class);
        }
        while (client.run("query-stats").at("/0/quiesced").asBoolean()) {
            assertThat(client.run("query-commands").isArray()).isTrue();
        }
    }

    private static void flood(MonitorClient deaf) {
        for (int i = 0; i < 100_000; i++) {
            deaf.send("{'execute':'query-commands','id':'" + "x".repeat(1000) + "'}");
        }
    }

    private static JsonNode node(JsonNode nodes, String name) {
        for (JsonNode node : nodes) {
            if (node.get("node-name").asText().equals(name)) {
                return node;
            }
        }
        throw new AssertionError("no node " + name + " in " + nodes);
    }
}
