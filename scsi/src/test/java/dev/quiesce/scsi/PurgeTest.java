package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PurgeTest {
    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final FakeUnit unit = new FakeUnit(rig, "unit");

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("PURGE-1")
    @Rule("PURGE-2")
    @Rule("WALK-7")
    void shouldReturnOnlyWhenRequestsWithoutAnyIoAreGone() {
        ScsiRequest inA = listed(rig.a);
        ScsiRequest inB = listed(rig.b);
        ScsiRequest inMain = listed(rig.main);

        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.RESET, Sense.UA_RESET);
        rig.turn(rig.main);
        rig.turn(rig.main);
        rig.turn(rig.a);
        assertThat(Rig.isDone(purge)).isFalse();
        assertThat(hba.hasAnswered(inB)).isFalse();
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        for (ScsiRequest request : List.of(inA, inB, inMain)) {
            assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
            assertThat(hba.hasPublished(request)).isTrue();
        }
        assertThat(unit.listedRequests()).isZero();
        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
        assertThat(unit.gate().isQuiesced()).isFalse();
        assertThat(unit.walksAwaited()).isEqualTo(1);
    }

    @Test
    @Rule("PURGE-2")
    void shouldReturnOnlyWhenCancelledWorkHasComeBack() {
        ScsiRequest first = executed(rig.a, FakeUnit.WORK);
        ScsiRequest second = executed(rig.b, FakeUnit.WORK);

        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.RESET, Sense.UA_RESET);
        rig.settle();
        assertThat(unit.askedToStop).containsExactlyInAnyOrder(first, second);
        unit.workComesBack(first);
        rig.settle();
        assertThat(Rig.isDone(purge)).isFalse();
        assertThat(unit.unitAttentions()).isEmpty();
        unit.workComesBack(second);
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(hba.pushed).hasSize(2);
    }

    @Test
    @Rule("PURGE-3")
    @Rule("VSCSI-38")
    @Rule("SCSI-43")
    void shouldRunWhatArrivesMeanwhileWhollyAfterIt() {
        ScsiRequest old = executed(rig.a, FakeUnit.WORK);
        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.RESET, Sense.UA_RESET);
        ScsiRequest early = executed(rig.a, FakeUnit.READY);
        rig.settle();
        ScsiRequest later = executed(rig.a, FakeUnit.READY);
        ScsiRequest elsewhere = executed(rig.b, FakeUnit.READY);
        rig.settle();
        assertThat(hba.pushed).isEmpty();
        assertThat(unit.started).containsExactly(old.tag());

        unit.workComesBack(old);
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(hba.answerTo(old).cause()).isEqualTo(CancelCause.RESET);
        List<FakeHba.Answer> after = List.of(
                hba.answerTo(early), hba.answerTo(later), hba.answerTo(elsewhere));
        assertThat(after).extracting(FakeHba.Answer::cause).containsOnlyNulls();
        assertThat(after).filteredOn(answer -> Sense.UA_RESET.equals(answer.sense())).hasSize(1);
        assertThat(after).filteredOn(answer -> answer.status() == ScsiStatus.GOOD).hasSize(2);
    }

    @Test
    @Rule("VSCSI-38")
    void shouldKeepTheOrderOfWhatWasHeld() {
        executed(rig.a, FakeUnit.WORK);
        unit.purgeAsync(CancelCause.RESET, null);
        rig.settle();
        List<Long> tags = List.of(executed(rig.a, FakeUnit.READY).tag(),
                executed(rig.a, FakeUnit.READY).tag(), executed(rig.a, FakeUnit.READY).tag());
        hba.onAnswer = r -> {
            if (r.tag() == tags.get(0)) {
                ScsiRequest next = hba.request(rig.a, FakeUnit.READY);
                unit.execute(next);
            }
        };

        unit.workComesBack(unit.working.get(0));
        rig.settle();

        assertThat(hba.pushed).extracting(FakeHba.Answer::tag)
                .containsExactly(1L, tags.get(0), tags.get(1), tags.get(2), 5L);
    }

    @Test
    @Rule("PURGE-3")
    void shouldCancelWhatIsHeldWhenItIsAborted() {
        executed(rig.a, FakeUnit.WORK);
        unit.purgeAsync(CancelCause.RESET, null);
        rig.settle();
        ScsiRequest held = executed(rig.a, FakeUnit.READY);

        CompletionStage<Integer> abort =
                unit.cancelTasksAsync(CancelCause.ABORT, r -> r.tag() == held.tag());
        rig.settle();

        assertThat(abort.toCompletableFuture().join()).isEqualTo(1);
        assertThat(hba.answerTo(held).cause()).isEqualTo(CancelCause.ABORT);
        unit.workComesBack(unit.working.get(0));
        rig.settle();
        assertThat(hba.pushed).hasSize(2);
    }

    @Test
    @Rule("PURGE-11")
    @Rule("PURGE-12")
    void shouldOverlapWithAnotherPurge() {
        ScsiRequest old = executed(rig.a, FakeUnit.WORK);
        CompletionStage<Void> reset = unit.resetAsync();
        rig.settle();
        ScsiRequest between = executed(rig.b, FakeUnit.READY);

        CompletionStage<Void> second = unit.purgeAsync(CancelCause.RESET, Sense.UA_TARGET_RESET);
        ScsiRequest after = executed(rig.b, FakeUnit.READY);
        rig.settle();
        assertThat(hba.answerTo(between).cause()).isEqualTo(CancelCause.RESET);
        assertThat(Rig.isDone(reset)).isFalse();
        unit.workComesBack(old);
        rig.settle();

        assertThat(reset.toCompletableFuture()).isCompleted();
        assertThat(second.toCompletableFuture()).isCompleted();
        assertThat(hba.answerTo(old).cause()).isEqualTo(CancelCause.RESET);
        assertThat(hba.answerTo(after).sense()).isEqualTo(Sense.UA_RESET);
        assertThat(unit.resets).isEqualTo(1);
        assertThat(unit.gate().isQuiesced()).isFalse();
    }

    @Test
    @Rule("PURGE-12")
    void shouldNotChangeTheCauseOfARequestThatIsBeingAborted() {
        ScsiRequest aborted = executed(rig.a, FakeUnit.WORK);
        aborted.cancel(CancelCause.ABORT, null);

        CompletionStage<Void> reset = unit.resetAsync();
        rig.settle();
        assertThat(Rig.isDone(reset)).isFalse();
        unit.workComesBack(aborted);
        rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(hba.answerTo(aborted).cause()).isEqualTo(CancelCause.ABORT);
    }

    @Test
    @Rule("PURGE-6")
    void shouldWorkInsideSomebodyElsesSection() {
        ScsiRequest request = listed(rig.a);
        CompletionStage<DrainedSection> outer =
                DrainedSection.beginAsync(rig.main, unit.drainable());
        rig.settle();

        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.RESET, Sense.UA_RESET);
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
        assertThat(unit.gate().isQuiesced()).isTrue();
        outer.toCompletableFuture().join().close();
    }

    @Test
    @Rule("PURGE-4")
    void shouldSetNoAttentionWhenNoneIsGiven() {
        listed(rig.a);

        unit.purgeAsync(CancelCause.RESET, null);
        rig.settle();

        assertThat(unit.unitAttentions()).isEmpty();
    }

    @Test
    @Rule("PURGE-7")
    void shouldEndWhenNothingWasEverExecuted() {
        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.RESET, Sense.UA_RESET);
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(unit.walksAwaited()).isZero();
    }

    @Test
    @Rule("PURGE-1")
    void shouldWaitInTheBlockingForm() {
        ScsiRequest request = listed(rig.main);

        unit.purge(CancelCause.RESET, Sense.UA_RESET);

        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
        assertThat(hba.hasPublished(request)).isTrue();
        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("PURGE-8")
    void shouldResetInTheBlockingForm() {
        ScsiRequest request = listed(rig.main);

        unit.reset();

        assertThat(unit.resets).isEqualTo(1);
        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
        ScsiRequest next = executed(rig.main, FakeUnit.READY);
        rig.settle();
        assertThat(hba.answerTo(next).sense()).isEqualTo(Sense.UA_RESET);
    }

    @Test
    void shouldOpenTheUnitAgainWhenTheWaitCannotEnd() {
        AioContext c = rig.context("c");
        ScsiRequest stranded = listed(c);
        rig.leave(c);

        assertThatThrownBy(() -> unit.purge(CancelCause.RESET, Sense.UA_RESET))
                .isInstanceOf(WaitCannotEndException.class)
                .hasMessageContaining("walk over unit")
                .hasMessageContaining("c");

        assertThat(unit.gate().isQuiesced()).isFalse();
        assertThat(unit.unitAttentions()).isEmpty();
        ScsiRequest next = executed(rig.a, FakeUnit.READY);
        assertThat(hba.answerTo(next).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(stranded.isListed()).isTrue();
    }

    @Test
    @Rule("PURGE-14")
    @Rule("PURGE-17")
    void shouldRefuseRequestsFromTheBeginningOfARemoval() {
        ScsiRequest old = executed(rig.a, FakeUnit.WORK);
        CompletionStage<Void> purge = unit.purgeAsync(CancelCause.REMOVED, null);

        ScsiRequest late = executed(rig.b, FakeUnit.READY);
        assertThat(hba.answerTo(late).cause()).isEqualTo(CancelCause.REMOVED);
        rig.settle();
        assertThat(Rig.isDone(purge)).isFalse();
        unit.workComesBack(old);
        rig.settle();
        ScsiRequest later = executed(rig.a, FakeUnit.READY);

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(hba.answerTo(old).cause()).isEqualTo(CancelCause.REMOVED);
        assertThat(hba.answerTo(later).cause()).isEqualTo(CancelCause.REMOVED);
    }

    @Test
    @Rule("SBUG-36")
    void shouldBeginFromAnyThread() {
        ScsiRequest request = listed(rig.a);

        CompletionStage<Void> purge = CompletableFuture
                .supplyAsync(() -> unit.purgeAsync(CancelCause.RESET, null)).join();
        assertThat(hba.pushed).isEmpty();
        rig.settle();

        assertThat(Rig.isDone(purge)).isTrue();
        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
    }

    @Test
    void shouldBlockOnTheMainContextOnly() {
        assertThatThrownBy(() -> CompletableFuture
                .runAsync(() -> unit.purge(CancelCause.RESET, null)).join())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("main");
    }

    private ScsiRequest listed(AioContext home) {
        return executed(home, FakeUnit.STAY);
    }

    private ScsiRequest executed(AioContext home, int... cdb) {
        ScsiRequest request = hba.request(home, cdb);
        unit.execute(request);
        return request;
    }
}
