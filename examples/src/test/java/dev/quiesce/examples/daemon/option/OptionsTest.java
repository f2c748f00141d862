package dev.quiesce.examples.daemon.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.source.PollParameters;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each option takes, and what it says of what it does not take. */
class OptionsTest {
    private static final String EXPORT =
            "type=vhost-user-scsi,id=e,addr.type=unix,addr.path=/tmp/s,";

    @Test
    void shouldReadAFile() {
        BlockdevOptions options = blockdev(
                "driver=file,node-name=a,filename=/x,read-only=on,auto-read-only=on,"
                + "cache.direct=off,cache.no-flush=off,aio=threads,discard=ignore");

        assertThat(options.nodeName()).isEqualTo("a");
        assertThat(options.readOnly()).isTrue();
        assertThat(options.source())
                .isEqualTo(new BlockdevOptions.HostFile(Path.of("/x"), true));
    }

    @Test
    void shouldReadEveryOtherDriver() {
        assertThat(blockdev("null-co,node-name=a").source())
                .isEqualTo(new BlockdevOptions.Null(1 << 30));
        assertThat(blockdev("null-aio,node-name=a,size=1M,read-zeroes=on").source())
                .isEqualTo(new BlockdevOptions.Null(1 << 20));
        assertThat(blockdev("memory,node-name=a,size=2G").source())
                .isEqualTo(new BlockdevOptions.Memory(2L << 30));
        assertThat(blockdev("raw,node-name=a,file=b,offset=512,size=1k").source())
                .isEqualTo(new BlockdevOptions.Raw(
                        new BlockdevOptions.Reference("b"), 512, 1024));
        assertThat(blockdev("overlay,node-name=a,file=b,max-memory=1M").source())
                .isEqualTo(new BlockdevOptions.Overlay(
                        new BlockdevOptions.Reference("b"), 1 << 20));
        assertThat(blockdev("passthrough,node-name=a,file=b").source())
                .isEqualTo(new BlockdevOptions.Passthrough(new BlockdevOptions.Reference("b")));
    }

    @Test
    void shouldReadANodeThatIsDefinedWithItsParent() {
        BlockdevOptions options = blockdev(
                "raw,node-name=a,file.driver=file,file.filename=/x,file.read-only=on");

        BlockdevOptions.Raw raw = (BlockdevOptions.Raw) options.source();
        BlockdevOptions.Nested nested = (BlockdevOptions.Nested) raw.file();
        assertThat(nested.options()).isEqualTo(new BlockdevOptions("", true,
                new BlockdevOptions.HostFile(Path.of("/x"), false)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "node-name=a                        | parameter 'driver' is missing",
        "driver=file,filename=x             | parameter 'node-name' is missing",
        "driver=file,node-name=a            | parameter 'filename' is missing",
        "driver=qcow2,node-name=a           | parameter 'driver': expected one of file, raw",
        "file,node-name=a,filename=x,y=z    | unknown parameter 'y'; allowed are aio, auto-read",
        "file,node-name=,filename=x         | 'node-name': expected a string that is not empty",
        "file,node-name=a,filename=x,read-only=maybe "
            + "| 'read-only': expected on or off, not 'maybe'",
        "file,node-name=a,filename=x,cache.direct=on | 'cache.direct': expected off, not 'on'",
        "file,node-name=a,filename=x,cache=none "
            + "| 'cache': expected cache.PART=VALUE, not 'none'",
        "file,node-name=a,filename=x,cache.x=off "
            + "| unknown parameter 'cache.x'; allowed are direct",
        "file,node-name=a,filename=x,aio=io_uring "
            + "| 'aio': expected one of threads, not 'io_uring'",
        "file,node-name=a,filename=x,discard=unmap   | 'discard': expected one of ignore, off",
        "memory,node-name=a                 | parameter 'size' is missing",
        "memory,node-name=a,size=-1 "
            + "| 'size': expected a number of bytes, or one with a unit",
        "memory,node-name=a,size=9999999P   | 'size': expected a number of bytes",
        "raw,node-name=a                    | parameter 'file' is missing",
        "raw,node-name=a,file.driver=file   | parameter 'file.filename' is missing",
        "raw,node-name=a,file.driver=x      | parameter 'file.driver': expected one of",
        "null-co,node-name=a,file=b         | unknown parameter 'file'",
    })
    void shouldSayWhatIsWrongWithANode(String text, String complaint) {
        assertThatThrownBy(() -> blockdev(text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"driver\":1,\"node-name\":\"a\"} | 'driver': expected a string that is not empty, not 1",
        "{\"driver\":\"memory\",\"node-name\":\"a\",\"size\":\"1M\"} "
            + "| 'size': expected a number of bytes",
        "{\"driver\":\"memory\",\"node-name\":\"a\",\"size\":1.5} "
            + "| 'size': expected a number of bytes, not 1.5",
        "{\"driver\":\"null-co\",\"node-name\":\"a\",\"read-only\":\"on\"} "
            + "| expected true or false, not 'on'",
        "{\"driver\":\"raw\",\"node-name\":\"a\",\"file\":[1]} "
            + "| 'file': expected a string that is not empty",
        "{\"driver\":null,\"node-name\":\"a\"} | parameter 'driver' is missing",
    })
    void shouldWantTheRightTypesInJson(String text, String complaint) {
        assertThatThrownBy(() -> blockdev(text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void shouldReadAnIoThread() {
        assertThat(IoThreadOptions.read(
                OptionText.parse("iothread,id=io0,poll-max-ns=9000,poll-grow=3,poll-shrink=4,"
                        + "aio-max-batch=8,thread-pool-min=1,thread-pool-max=2",
                        "qom-type", Set.of())))
                .isEqualTo(new IoThreadOptions("io0", new IoThread.Properties(
                        8, 1, 2, new PollParameters(9000, 3, 4))));
    }

    @Test
    void shouldLeavePollingToTheLoopUnlessItIsAskedFor() {
        assertThat(ioThread("iothread,id=io0").properties().polling()).isNull();
        assertThat(ioThread("iothread,id=io0,poll-max-ns=0").properties().polling())
                .isEqualTo(PollParameters.OFF);
        assertThat(ioThread("iothread,id=io0,poll-grow=5").properties().polling())
                .isEqualTo(new PollParameters(32_768, 5, 0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "secret,id=a                  | parameter 'qom-type': expected iothread, not 'secret'",
        "iothread                     | parameter 'id' is missing",
        "iothread,id=a,poll-max-ns=-1 | 'poll-max-ns': expected a whole number, at least 0",
        "iothread,id=a,poll-grow=-1 | 'poll-grow': expected a whole number, at least 0",
        "iothread,id=a,thread-pool-max=0 | 'thread-pool-max': expected a whole number from 1",
        "iothread,id=a,thread-pool-max=2,thread-pool-min=3 | a whole number from 0 to 2, not '3'",
        "iothread,id=a,x=1            | unknown parameter 'x'; allowed are aio-max-batch, id",
    })
    void shouldSayWhatIsWrongWithAnObject(String text, String complaint) {
        assertThatThrownBy(() -> IoThreadOptions.read(
                OptionText.parse(text, "qom-type", Set.of())))
                .isInstanceOf(WrongOptionException.class).hasMessageContaining(complaint);
    }

    private static IoThreadOptions ioThread(String text) {
        return IoThreadOptions.read(OptionText.parse(text, "qom-type", Set.of()));
    }

    @Test
    void shouldReadAnExport() {
        ExportOptions options = export(EXPORT + "node-name=a,node-name=b,num-queues=3,"
                + "iothread=io0,writable=off");

        assertThat(options.socket()).isEqualTo(Path.of("/tmp/s"));
        assertThat(options.nodeNames()).containsExactly("a", "b");
        assertThat(options.queues()).isEqualTo(3);
        assertThat(options.writable()).isFalse();
        assertThat(options.mapping().threads()).containsExactly("io0", "io0", "io0");
        assertThat(options.mapping().follows()).isTrue();
    }

    @Test
    void shouldGiveQueuesToSeveralThreadsInTurn() {
        for (String threads : new String[] {
            "iothread.0=x,iothread.1=y", "iothreads=x:y",
            "iothread-vq-mapping.0.iothread=x,iothread-vq-mapping.1.iothread=y"}) {
            QueueOptions mapping = export(EXPORT + "num-queues=3," + threads).mapping();

            assertThat(mapping.threads()).as(threads).containsExactly("x", "y", "x");
            assertThat(mapping.follows()).isFalse();
        }
    }

    @Test
    void shouldGiveQueuesToTheThreadsThatNameThem() {
        QueueOptions mapping = export(EXPORT + "num-queues=3,"
                + "iothread-vq-mapping.0.iothread=x,iothread-vq-mapping.0.vqs.0=2,"
                + "iothread-vq-mapping.1.iothread=y,iothread-vq-mapping.1.vqs.0=0,"
                + "iothread-vq-mapping.1.vqs.1=1").mapping();

        assertThat(mapping.threads()).containsExactly("y", "y", "x");
    }

    @Test
    void shouldNotFollowWhenTheThreadIsFixed() {
        assertThat(export(EXPORT + "iothread=x,fixed-iothread=on").mapping().follows()).isFalse();
        assertThat(export(EXPORT + "num-queues=1").mapping().follows()).isTrue();
        assertThat(export(EXPORT + "num-queues=1").mapping().threads()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "num-queues=0 "
            + "| 'num-queues': expected a whole number from 1 to 254, not '0'",
        "num-queues=many                  | 'num-queues': expected a whole number from 1 to 254",
        "iothread=x,iothreads=y           | parameter 'iothreads' excludes 'iothread'",
        "iothreads=x::y                   | 'iothreads': expected names separated by ':'",
        "iothreads=x:x                    | 'iothreads': IOThread 'x' is named twice",
        "iothread=x,iothread-vq-mapping.0.iothread=y | 'iothread-vq-mapping' excludes 'iothread'",
        "iothread-vq-mapping.0.vqs.0=0    | parameter 'iothread-vq-mapping.0.iothread' is missing",
        "iothread-vq-mapping=x            | 'iothread-vq-mapping': expected a list of objects",
        "iothread-vq-mapping.0.iothread=x,iothread-vq-mapping.0.vqs.0=1 "
            + "| expected a whole number from 0 to 0",
        "iothread-vq-mapping.0.iothread=x,iothread-vq-mapping.1.iothread=x | 'x' is named twice",
        "num-queues=2,iothread-vq-mapping.0.iothread=x,iothread-vq-mapping.0.vqs.0=1 "
            + "| nobody serves request queue 0",
        "writable=2                       | 'writable': expected on or off",
        "color=red "
            + "| unknown parameter 'color'; allowed are addr, fixed-iothread",
    })
    void shouldSayWhatIsWrongWithAnExport(String text, String complaint) {
        assertThatThrownBy(() -> export(EXPORT + text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "id=e                                    | parameter 'type' is missing",
        "nbd,id=e "
            + "| 'type': expected one of vhost-user-scsi, not 'nbd'",
        "vhost-user-scsi                         | parameter 'id' is missing",
        "vhost-user-scsi,id=e                    | parameter 'addr.type' is missing",
        "vhost-user-scsi,id=e,addr=x             | 'addr': expected addr.PART=VALUE, not 'x'",
        "vhost-user-scsi,id=e,addr.type=inet     | 'addr.type': expected one of unix, not 'inet'",
        "vhost-user-scsi,id=e,addr.type=unix     | parameter 'addr.path' is missing",
        "vhost-user-scsi,id=e,addr.type=unix,addr.path=x,addr.y=1 | unknown parameter 'addr.y'",
    })
    void shouldSayWhatIsWrongWithAnAddress(String text, String complaint) {
        assertThatThrownBy(() -> export(text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void shouldRefuseAPathThatNoSocketCanHave() {
        String path = "/" + "x".repeat(107);

        assertThatThrownBy(() -> export(
                "vhost-user-scsi,id=e,addr.type=unix,addr.path=" + path))
                .hasMessageContaining("'addr.path': expected at most 107 bytes");
    }

    @Test
    void shouldReadADevice() {
        assertThat(device("{\"driver\":\"scsi-hd\",\"id\":\"d\",\"bus\":\"e.0\",\"drive\":\"n\","
                + "\"scsi-id\":3,\"lun\":2,\"serial\":\"S1\"}"))
                .isEqualTo(new DeviceOptions("d", "e", "n", 3, 2, "S1"));
        assertThat(device("{\"driver\":\"scsi-hd\",\"id\":\"d\",\"drive\":\"n\"}"))
                .isEqualTo(new DeviceOptions("d", null, "n", 0, -1, null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"id\":\"d\",\"drive\":\"n\"} | parameter 'driver' is missing",
        "{\"driver\":\"scsi-cd\",\"id\":\"d\",\"drive\":\"n\"} | 'driver': expected one of scsi-hd",
        "{\"driver\":\"scsi-hd\",\"drive\":\"n\"} | parameter 'id' is missing",
        "{\"driver\":\"scsi-hd\",\"id\":\"d\"} | parameter 'drive' is missing",
        "{\"driver\":\"scsi-hd\",\"id\":\"d\",\"drive\":\"n\",\"lun\":99999} "
            + "| 'lun': expected a whole number from 0 to 16383",
        "{\"driver\":\"scsi-hd\",\"id\":\"d\",\"drive\":\"n\",\"serial\":\"a b\"} "
            + "| 'serial': expected 1 to 20 printable",
        "{\"driver\":\"scsi-hd\",\"id\":\"d\",\"drive\":\"n\",\"x\":1} | unknown parameter 'x'",
    })
    void shouldSayWhatIsWrongWithADevice(String text, String complaint) {
        assertThatThrownBy(() -> device(text)).isInstanceOf(WrongOptionException.class)
                .hasMessageContaining(complaint);
    }

    private static BlockdevOptions blockdev(String text) {
        return BlockdevOptions.read(OptionText.parse(text, "driver", Set.of()));
    }

    private static ExportOptions export(String text) {
        return ExportOptions.read(OptionText.parse(text, "type", ExportOptions.REPEATABLE));
    }

    private static DeviceOptions device(String text) {
        return DeviceOptions.read(Arguments.ofJson(JsonText.parseObject(text)));
    }
}
