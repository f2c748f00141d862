package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.Task;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScsiRequestTest {
    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final FakeUnit unit = new FakeUnit(rig, "unit");
    private final List<String> events = new ArrayList<>();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("SCSI-21")
    @Rule("SCSI-22")
    @Rule("SCSI-20")
    void shouldBeOffTheListWhenItsAnswerIsDelivered() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.STAY);
        hba.onAnswer = r -> events.add("listed " + r.isListed() + " of " + unit.listedRequests());
        unit.execute(request);
        assertThat(request.isListed()).isTrue();
        assertThat(unit.listedRequests()).isEqualTo(1);

        unit.staying.get(0).complete(ScsiStatus.GOOD);

        assertThat(events).containsExactly("listed false of 0");
        assertThat(hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
    }

    @Test
    @Rule("SCSI-21")
    void shouldRefuseASecondCompletion() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.STAY);
        unit.execute(request);
        request.complete(ScsiStatus.GOOD);

        assertThatThrownBy(() -> request.complete(ScsiStatus.GOOD))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tag " + request.tag());
    }

    @Test
    @Rule("SCSI-32")
    void shouldBePreparedAnewAfterTheAnswerOrBeforeExecutionOnly() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.STAY);
        request.prepare(rig.a, 77, FakeHba.bytes(FakeUnit.STAY), 6);
        unit.execute(request);

        assertThatThrownBy(() -> request.prepare(rig.a, 78, FakeHba.bytes(FakeUnit.READY), 6))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("in use");
        request.complete(ScsiStatus.GOOD);
        request.prepare(rig.b, 78, FakeHba.bytes(FakeUnit.READY), 6);
        unit.execute(request);

        assertThat(hba.pushed).extracting(FakeHba.Answer::tag).containsExactly(77L, 78L);
    }

    @Test
    @Rule("SCSI-32")
    void shouldRefuseToRunWithoutBeingPrepared() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.READY);
        unit.execute(request);

        assertThatThrownBy(() -> unit.execute(request))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("without prepare");
    }

    @Test
    @Rule("SCSI-26")
    void shouldAnswerACancelledRequestAtOnceWhenNothingIsInFlight() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.STAY);
        unit.execute(request);

        request.cancel(CancelCause.ABORT, event("gone"));

        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.ABORT);
        assertThat(events).isEmpty();
        rig.settle();
        assertThat(events).containsExactly("gone");
    }

    @Test
    @Rule("SCSI-31")
    void shouldRefuseANotifierThatQueuesItselfAndGoOnAsBefore() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(request);
        BottomHalf half = new BottomHalf(rig.a, "half", () -> events.add("half"));

        assertThatThrownBy(() -> request.cancel(CancelCause.ABORT, half))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("context a", "half", "SCSI-31");
        assertThat(request.isListed()).isTrue();
        request.cancel(CancelCause.ABORT, event("gone"));
        unit.workComesBack(request);
        rig.settle();

        assertThat(events).containsExactly("gone");
    }

    @Test
    @Rule("SCSI-26")
    @Rule("SCSI-54")
    @Rule("SCSI-27")
    void shouldKeepACancelledRequestUntilItsWorkIsBack() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(request);

        request.cancel(CancelCause.ABORT, event("first"));
        request.cancel(CancelCause.RESET, event("second"));
        rig.settle();

        assertThat(unit.askedToStop).containsExactly(request);
        assertThat(request.isListed()).isFalse();
        assertThat(request.isCancelling()).isTrue();
        assertThat(unit.listedRequests()).isZero();
        assertThat(unit.cancellingRequests()).isEqualTo(1);
        assertThat(hba.pushed).isEmpty();
        assertThat(events).isEmpty();

        unit.workComesBack(request);
        rig.settle();

        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.ABORT);
        assertThat(events).containsExactly("first", "second");
        assertThat(unit.cancellingRequests()).isZero();
    }

    @Test
    @Rule("SCSI-29")
    @Rule("SCSI-30")
    void shouldAnswerOnlyAsCancelledWhenTheUnitCompletesACancelledRequest() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(request);
        request.cancel(CancelCause.RESET, event("gone"));

        request.complete(ScsiStatus.GOOD);
        rig.settle();

        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
        assertThat(events).containsExactly("gone");
    }

    @Test
    @Rule("VSCSI-33")
    void shouldNotifyOnlyAfterTheAnswerWasPublished() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(request);
        request.cancel(CancelCause.ABORT, new Task() {
            @Override
            protected void run() {
                events.add("published " + hba.hasPublished(request));
            }
        });

        unit.workComesBack(request);
        rig.settle();

        assertThat(events).containsExactly("published true");
    }

    @Test
    @Rule("SCSI-26")
    @Rule("SCSI-55")
    void shouldRefuseToCancelWhatIsAnswered() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.READY);
        unit.execute(request);

        assertThatThrownBy(() -> request.cancel(CancelCause.ABORT, null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing to cancel");
    }

    @Test
    @Rule("SCSI-13")
    @Rule("SCSI-31")
    @Rule("SCHED-4")
    void shouldRefuseEveryChangeFromAnotherThread() {
        ScsiRequest request = hba.request(rig.a, FakeUnit.STAY);

        assertThrowsElsewhere(() -> unit.execute(request));
        unit.execute(request);
        assertThrowsElsewhere(() -> request.complete(ScsiStatus.GOOD));
        assertThrowsElsewhere(() -> request.completeWith(Sense.READ_ERROR));
        assertThrowsElsewhere(() -> request.cancel(CancelCause.ABORT, null));
        assertThrowsElsewhere(() -> request.movedBytes(0));
        assertThrowsElsewhere(() -> request.prepare(rig.a, 1, new byte[6], 6));

        assertThat(request.isListed()).isTrue();
    }

    @Test
    @Rule("SCSI-53")
    void shouldReportWhatWasNotMovedAsResidual() {
        ScsiRequest request = hba.request(rig.a, new byte[0], 100, FakeUnit.STAY);
        unit.execute(request);

        request.movedBytes(40);
        request.complete(ScsiStatus.GOOD);

        assertThat(hba.answerTo(request).residual()).isEqualTo(60);
    }

    @Test
    @Rule("SCSI-15")
    @Rule("CMD-1")
    void shouldAnswerABrokenCdbWithInvalidOpcode() {
        ScsiRequest empty = hba.request(rig.a);
        ScsiRequest shortOne = hba.request(rig.a, 0x28, 0, 0);

        unit.execute(empty);
        unit.execute(shortOne);

        assertThat(hba.answerTo(empty).sense()).isEqualTo(Sense.INVALID_OPCODE);
        assertThat(hba.answerTo(shortOne).sense()).isEqualTo(Sense.INVALID_OPCODE);
    }

    private Task event(String what) {
        return new Task() {
            @Override
            protected void run() {
                events.add(what);
            }
        };
    }

    private static void assertThrowsElsewhere(Runnable change) {
        assertThatThrownBy(() -> CompletableFuture.runAsync(change).join())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is not its home");
    }
}
