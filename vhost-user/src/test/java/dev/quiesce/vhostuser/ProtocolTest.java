package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Single messages and what they are answered. */
class ProtocolTest {
    private static final long VERSION_1 = 1L << 32;
    private static final long PROTOCOL = 1L << 30;
    private static final long REPLY_ACK = 1L << 3;
    private static final int SENSE_SIZE_AT = 20;
    private static final int CDB_SIZE_AT = 24;

    @TempDir private Path directory;
    private Host host;
    private FrontEnd frontEnd;

    @BeforeEach
    void connect() throws Exception {
        Path socket = directory.resolve("s");
        host = new Host(socket, 3);
        frontEnd = new FrontEnd(socket);
    }

    @AfterEach
    void close() throws Exception {
        frontEnd.close();
        host.close();
    }

    @Test
    @Rule("VHU-8")
    @Rule("VHU-35")
    @Rule("VHU-37")
    void shouldOfferWhatItServes() throws Exception {
        long features = frontEnd.askNumber(1);

        assertThat(features).isEqualTo(
                VERSION_1 | PROTOCOL | 1L << 28 | 1L << 29 | 1L << 1 | 1L << 2);
        assertThat(frontEnd.askNumber(15))
                .isEqualTo(1 | 1 << 3 | 1 << 5 | 1 << 9 | 1 << 12 | 1 << 13 | 1 << 15);
        assertThat(frontEnd.askNumber(17)).isEqualTo(5);
        assertThat(frontEnd.askNumber(36)).isGreaterThanOrEqualTo(32);
    }

    @Test
    @Rule("VHU-6")
    @Rule("VHU-49")
    void shouldAcknowledgeTheVeryMessageThatAgreesOnAcknowledgements() throws Exception {
        frontEnd.send(3, payload -> { });

        assertThat(agree()).isZero();
        assertThat(setFeatures(VERSION_1 | PROTOCOL)).isZero();
    }

    @Test
    void shouldTakeAnOwnerAgainAfterOneGaveUp() throws Exception {
        agree();
        assertThat(frontEnd.acknowledged(3, payload -> { })).isZero();
        assertThat(frontEnd.acknowledged(3, payload -> { })).isOne();

        assertThat(frontEnd.acknowledged(4, payload -> { })).isZero();

        assertThat(frontEnd.acknowledged(3, payload -> { })).isZero();
    }

    @Test
    @Rule("VHU-6")
    void shouldSendOneReplyOnlyToAQuestionThatAlsoWantsAnAcknowledgement() throws Exception {
        agree();

        frontEnd.sendRaw(17, FrontEnd.VERSION | FrontEnd.NEED_REPLY, payload -> { });

        assertThat(frontEnd.reply(17).getLong()).isEqualTo(5);
        assertThat(frontEnd.askNumber(17)).isEqualTo(5);
    }

    @Test
    @Rule("VHU-37")
    void shouldAcceptFeaturesThatFrontEndsAddWithoutAskingAndRefuseOthers() throws Exception {
        agree();

        assertThat(setFeatures(0x1_5000_0004L)).isZero();
        assertThat(setFeatures(0x1_4000_0000L)).isZero();
        assertThat(setFeatures(VERSION_1 | PROTOCOL | 1L << 34)).isOne();
        assertThat(setFeatures(VERSION_1 | PROTOCOL | 1L << 33)).isOne();
        assertThat(setFeatures(PROTOCOL)).isOne();
    }

    @Test
    @Rule("VHU-7")
    @Rule("VHU-51")
    void shouldRefuseRequestsThatItDoesNotServe() throws Exception {
        agree();

        assertThat(frontEnd.acknowledged(99, payload -> payload.putLong(1))).isOne();
        assertThat(frontEnd.acknowledged(22, payload -> payload.putLong(0))).isOne();
        frontEnd.send(99, payload -> { });
        assertThat(frontEnd.askNumber(17)).isEqualTo(5);
    }

    @Test
    @Rule("VHU-7")
    void shouldEndAConnectionThatWouldWaitForAnAnswerForEver() throws Exception {
        frontEnd.send(22, payload -> payload.putLong(0));

        frontEnd.awaitClosed();
    }

    @Test
    @Rule("VHU-24")
    void shouldRefuseRingsThatAreNotThere() throws Exception {
        agree();

        for (int request : new int[] {8, 10, 18}) {
            assertThat(frontEnd.acknowledged(request, Machine.state(5, 1)::encode)).isOne();
            assertThat(frontEnd.acknowledged(request, Machine.state(-1, 1)::encode)).isOne();
        }
        assertThat(frontEnd.acknowledged(9,
                new Payload.VringAddress(5, 0, 0, 0, 0, 0)::encode)).isOne();
        for (int request : new int[] {12, 13, 14}) {
            assertThat(frontEnd.acknowledged(request, payload -> payload.putLong(0x1FF))).isOne();
        }
    }

    @Test
    @Rule("VHU-20")
    void shouldRefuseRingsThatCannotBe() throws Exception {
        agree();

        for (int size : new int[] {0, 3, 512, -1, Integer.MIN_VALUE}) {
            assertThat(frontEnd.acknowledged(8, Machine.state(2, size)::encode)).isOne();
        }
        assertThat(frontEnd.acknowledged(10, Machine.state(2, 0x1_0000)::encode)).isOne();
        assertThat(frontEnd.acknowledged(18, Machine.state(2, 2)::encode)).isOne();
    }

    @Test
    @Rule("VHU-16")
    void shouldRefuseToPollARingThatHasNoKick() throws Exception {
        agree();

        assertThat(frontEnd.acknowledged(12, payload -> payload.putLong(0x102))).isOne();
    }

    @Test
    @Rule("VHU-17")
    void shouldTellTheBaseOfARingThatNeverRan() throws Exception {
        frontEnd.send(10, Machine.state(2, 77)::encode);

        ByteBuffer answer = frontEnd.ask(11, Machine.state(2, 0)::encode);

        assertThat(Payload.VringState.decode(answer)).isEqualTo(new Payload.VringState(2, 77));
    }

    @Test
    @Rule("VHU-32")
    @Rule("VHU-49")
    @Rule("VSCSI-3")
    void shouldShowTheConfigurationInGrowingSlices() throws Exception {
        byte[] whole = readConfig(36);

        assertThat(ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getInt(0))
                .isEqualTo(3);
        for (int size = 1; size <= 36; size++) {
            assertThat(readConfig(size)).isEqualTo(Arrays.copyOf(whole, size));
        }
    }

    @Test
    @Rule("VHU-32")
    void shouldAnswerAnImpossibleSliceWithNothing() throws Exception {
        ByteBuffer answer = frontEnd.ask(24, new Payload.Config(0, 300, 0, new byte[4])::encode);

        assertThat(answer.remaining()).isZero();
    }

    @Test
    @Rule("VHU-49")
    @Rule("VSCSI-8")
    void shouldLetTheFrontEndChooseTheSizesOfSenseAndCommand() throws Exception {
        frontEnd.send(25, new Payload.Config(SENSE_SIZE_AT, 4, 0,
                new byte[] {(byte) 128, 0, 0, 0})::encode);
        frontEnd.send(25, new Payload.Config(CDB_SIZE_AT, 4, 0,
                new byte[] {16, 0, 0, 0})::encode);

        byte[] whole = readConfig(36);

        assertThat(whole[SENSE_SIZE_AT]).isEqualTo((byte) 128);
        assertThat(whole[CDB_SIZE_AT]).isEqualTo((byte) 16);
    }

    @Test
    @Rule("VHU-41")
    void shouldResetTheDeviceAndKeepTheSession() throws Exception {
        agree();
        setFeatures(VERSION_1 | PROTOCOL);
        assertThat(host.server.device().isDriverOk()).isTrue();

        assertThat(frontEnd.acknowledged(34, payload -> { })).isZero();

        assertThat(host.server.device().isDriverOk()).isFalse();
        assertThat(setFeatures(VERSION_1 | PROTOCOL)).isZero();
    }

    @Test
    @Rule("VHU-19")
    @Rule("VHU-39")
    void shouldEnableAllRingsForAFrontEndThatCannotSaySo() throws Exception {
        frontEnd.send(2, payload -> payload.putLong(VERSION_1));
        frontEnd.settle();

        assertThat(host.server.status().frontEnd().queues())
                .allMatch(VhostUserStatus.Queue::isEnabled);
    }

    @Test
    @Rule("VHU-T14")
    void shouldRefuseASecondOwner() throws Exception {
        agree();

        assertThat(frontEnd.acknowledged(3, payload -> { })).isZero();
        assertThat(frontEnd.acknowledged(3, payload -> { })).isOne();
    }

    private long agree() throws Exception {
        return frontEnd.acknowledged(16, payload -> payload.putLong(REPLY_ACK | 1 << 5 | 1 << 9));
    }

    private long setFeatures(long features) throws Exception {
        return frontEnd.acknowledged(2, payload -> payload.putLong(features));
    }

    private byte[] readConfig(int size) throws Exception {
        ByteBuffer answer =
                frontEnd.ask(24, new Payload.Config(0, size, 0, new byte[size])::encode);
        Payload.Config read = Payload.Config.decode(answer);
        assertThat(read.sizeBytes()).isEqualTo(size);
        return read.bytes();
    }
}
