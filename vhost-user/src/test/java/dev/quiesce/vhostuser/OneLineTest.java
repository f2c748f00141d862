package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a front end does wrong ends its connection with one line, which names the export and
 * what was wrong; a neighbour on the same IOThread goes on, and nothing is left behind.
 */
@Rule("VHU-2")
@Rule("VHU-3")
@Rule("VHU-12")
@Rule("VHU-46")
class OneLineTest extends ServedSocket {
    private static final String RAM_NAME = "quiesce-vhost-test";
    private static final int REPEATS = 8;
    private static final int CONNECTIONS = 3000;

    private Host.Export other;
    private Neighbour neighbour;

    @Override
    Host newHost() throws Exception {
        return new Host(socket, 1);
    }

    @BeforeEach
    void addNeighbour() throws Exception {
        other = host.another(directory.resolve("o"));
        neighbour = Neighbour.at(directory.resolve("o"));
    }

    @AfterEach
    void removeNeighbour() throws Exception {
        neighbour.close();
        other.close();
    }

    static Stream<Arguments> attacks() {
        return Stream.of(
                attack("SET_VRING_NUM with a payload of 7 bytes", Attacker::shortPayload),
                attack("SET_MEM_TABLE with a payload of 4294967295 bytes", Attacker::hugePayload),
                attack("the connection ended within a message", Attacker::truncated),
                attack("version 2 of the protocol", Attacker::wrongVersion),
                attack("7 regions in 32 bytes", Attacker::fewerRegionsThanItSays),
                attack("1 regions with 2 descriptors", Attacker::moreFilesThanRegions),
                attack("1 regions with 0 descriptors", Attacker::regionWithoutFile),
                attack("9 descriptors in one message", Attacker::tooManyFiles),
                attack("a region of 0x100000+0x0 at", Attacker::emptyRegion),
                attack("0x100800+0x1000 at user address 0x7f0000200000, file offset 0x0 overlaps"
                        + " 0x100000+0x1000", Attacker::overlappingRegions),
                attack("a file of 4096 bytes for 0x100000+0x100000", Attacker::truncatedFile),
                attack("not a regular file, but a directory",
                        it -> it.memoryIn(it.directory())),
                attack("not a regular file, but a character device",
                        it -> it.memoryIn(it.open("/dev/null", "rw"))),
                attack("not a regular file, but a pipe", it -> it.memoryIn(it.pipe())),
                attack("not a regular file, but a socket", it -> it.memoryIn(it.socket())),
                attack("not a regular file, but something", it -> it.memoryIn(it.event())),
                attack("not passed for reading and writing", it -> it.memoryIn(it.readOnly())),
                attack("SET_VRING_KICK of ring 2: neither an eventfd nor a Unix socket nor a pipe,"
                        + " but a regular file", it -> it.signalBy(12, it.readOnly())),
                attack("SET_VRING_CALL of ring 2: neither an eventfd nor a Unix socket nor a pipe,"
                        + " but a character device",
                        it -> it.signalBy(13, it.open("/dev/null", "rw"))),
                attack("SET_VRING_ERR of ring 2: neither an eventfd nor a Unix socket nor a pipe,"
                        + " but a directory", it -> it.signalBy(14, it.directory())),
                attack("SET_VRING_CALL of ring 2: neither an eventfd nor a Unix socket nor a pipe,"
                        + " but a socket of a network", it -> it.signalBy(13, it.lingering())),
                attack("SET_VRING_CALL of ring 2: descriptor and its flag differ",
                        it -> it.signalBy(13)),
                attack("ring 200 of 3", Attacker::ringThatIsNotThere),
                attack("ring 2 at user address 0x7f0000000000 is outside",
                        Attacker::ringOutsideOfMemory),
                attack("a ring of 3 entries", Attacker::ringOfAnOddSize),
                attack("features 0x540000000: 0x400000000 not offered", Attacker::strangeFeatures),
                attack("ring 2: whoever writes its call or error descriptor is made to wait",
                        Attacker::fullCounterThatWaits));
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void shouldCloseWithOneLineThatSaysWhatWasWrong(String complaint, Attack attack)
            throws Exception {
        try (LogLines log = new LogLines()) {
            attackOnce(attack, log, 1);
            List<String> lines = log.take();

            assertThat(lines).hasSize(1);
            assertThat(lines.get(0)).contains("WARN").contains("test: connection closed")
                    .contains(complaint);
            neighbour.goesOn();
            assertLeaksNothing(attack, log);
            assertThat(log.take()).hasSize(REPEATS);
        }
        assertServesAGoodOne();
    }

    /** QEMU does so with queues that the guest never set up: it is no offence (VHU-51). */
    @Test
    @Rule("VHU-51")
    void shouldIgnoreQueuesThatAreEnabledAndKickedWithoutAddresses() throws Exception {
        try (LogLines log = new LogLines()) {
            attackOnce(Attacker::enabledWithoutAddresses, log, 0);
            assertThat(log.take()).isEmpty();
            neighbour.goesOn();
        }
        assertServesAGoodOne();
    }

    @Test
    void shouldNotTalkOfThousandsThatConnectAndSayNothing() throws Exception {
        assertServesAGoodOne();
        List<String> before = KernelCounts.targets();
        try (LogLines log = new LogLines()) {
            for (int i = 0; i < CONNECTIONS; i++) {
                new FrontEnd(socket).close();
            }
            neighbour.goesOn();
            assertServesAGoodOne();
            assertThat(log.take()).isEmpty();
        }
        assertThat(KernelCounts.settles(() -> KernelCounts.openedSince(before).isEmpty()))
                .as("%s", KernelCounts.openedSince(before)).isTrue();
    }

    /** The acknowledgement says so too, and the connection goes on: one line, not one each. */
    @Test
    void shouldSayOnceThatRequestsAreRefused() throws Exception {
        try (LogLines log = new LogLines(); FrontEnd frontEnd = new FrontEnd(socket)) {
            frontEnd.acknowledged(16, payload -> payload.putLong(1 << 3));
            for (int i = 0; i < 10; i++) {
                assertThat(frontEnd.acknowledged(8, Machine.state(2, 3)::encode)).isOne();
            }

            assertThat(log.take()).singleElement().asString()
                    .contains("test: SET_VRING_NUM refused: a ring of 3 entries");
        }
    }

    /** Returns when the connection has ended and there are at least so many lines. */
    private void attackOnce(Attack attack, LogLines log, int lines) throws Exception {
        try (Attacker attacker = new Attacker(host, directory)) {
            attack.by(attacker);
            attacker.frontEnd.awaitClosed();
            log.await(lines);
            Host.until(() -> host.server.status().frontEnd() == null,
                    () -> "the front end is still there");
        }
    }

    private void assertLeaksNothing(Attack attack, LogLines log) throws Exception {
        List<String> before = KernelCounts.targets();
        System.gc();
        long mappings = KernelCounts.mappings(RAM_NAME);
        for (int i = 0; i < REPEATS; i++) {
            attackOnce(attack, log, i + 1);
        }
        assertThat(KernelCounts.settles(() -> KernelCounts.openedSince(before).isEmpty()))
                .as("%s", KernelCounts.openedSince(before)).isTrue();
        assertThat(KernelCounts.settles(() -> KernelCounts.mappings(RAM_NAME) <= mappings))
                .isTrue();
    }

    private void assertServesAGoodOne() throws Exception {
        try (Neighbour good = Neighbour.at(socket)) {
            good.goesOn();
        }
    }

    private static Arguments attack(String complaint, Attack attack) {
        return arguments(complaint, attack);
    }

    /** One thing that a front end does, after which it only waits. */
    @FunctionalInterface
    private interface Attack {
        void by(Attacker attacker) throws Exception;
    }
}
