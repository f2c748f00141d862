package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Hold;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WalkTest {
    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final FakeUnit unit = new FakeUnit(rig, "unit");
    private final Recorder recorder = new Recorder();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("WALK-17")
    @Rule("WALK-18")
    @Rule("WALK-29")
    @Rule("WALK-19")
    @Rule("BUG-67")
    void shouldVisitEveryRequestInItsOwnContext() {
        List<ScsiRequest> all = List.of(
                listed(rig.a), listed(rig.b), listed(rig.main), listed(rig.a), listed(rig.b));

        unit.forEachRequestAsync(recorder);
        assertThat(recorder.visits).isEmpty();
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag)
                .containsExactlyInAnyOrderElementsOf(all.stream().map(ScsiRequest::tag).toList());
        assertThat(recorder.visits).allMatch(visit -> visit.ranIn() == visit.home());
        assertThat(recorder.ended).isEqualTo(1);
        assertThat(unit.walks()).isEqualTo(1);
    }

    @Test
    @Rule("WALK-18")
    void shouldVisitTheOthersThoughOneVisitAndTheErrorHandlerThrow() {
        listed(rig.a);
        listed(rig.a);
        List<Long> visited = new ArrayList<>();
        rig.handlerThrows = true;

        unit.forEachRequestAsync(request -> {
            visited.add(request.tag());
            throw new IllegalArgumentException("a visit fails");
        });
        rig.settle();

        assertThat(visited).hasSize(2);
        assertThat(unit.gate().isSettled()).isTrue();
        assertThat(rig.errors).hasSize(2);
        rig.errors.clear();
    }

    @Test
    @Rule("WALK-20")
    void shouldVisitTheRestThoughAnAnswerTakesTheRequestToAnotherUnit() {
        FakeUnit other = new FakeUnit(rig, "other");
        other.execute(hba.request(rig.a, FakeUnit.STAY));
        listed(rig.a);
        ScsiRequest second = listed(rig.a);
        ScsiRequest third = listed(rig.a);
        hba.onAnswer = answered -> {
            if (answered == second) {
                hba.onAnswer = request -> {};
                other.execute(second.prepare(rig.a, 99, FakeHba.bytes(FakeUnit.STAY), 6));
            }
        };

        CompletionStage<Void> purged = unit.purgeAsync(CancelCause.RESET, null);
        rig.settle();

        assertThat(hba.hasAnswered(third)).isTrue();
        assertThat(purged.toCompletableFuture()).isCompleted();
        assertThat(unit.listedRequests()).isZero();
        assertThat(other.listedRequests()).isEqualTo(2);
    }

    @Test
    @Rule("WALK-10")
    @Rule("WALK-12")
    @Rule("WALK-15")
    @Rule("WALK-25")
    void shouldHoldTheGateFromTheCallUntilTheLastVisitOfEachContext() {
        listed(rig.a);
        listed(rig.b);

        unit.forEachRequestAsync(recorder);

        assertThat(unit.gate().isSettled()).isFalse();
        rig.turn(rig.a);
        assertThat(recorder.visits).hasSize(1);
        assertThat(unit.gate().isSettled()).isFalse();
        rig.turn(rig.b);
        assertThat(recorder.visits).hasSize(2);
        assertThat(unit.gate().isSettled()).isTrue();
    }

    @Test
    @Rule("WALK-10")
    @Rule("WALK-12")
    @Rule("BUG-7")
    @Rule("SBUG-1")
    void shouldBeAwaitedByASectionThatBeginsAfterTheCall() {
        listed(rig.a);
        unit.forEachRequestAsync(recorder);

        CompletionStage<DrainedSection> section =
                DrainedSection.beginAsync(rig.main, unit.drainable());
        rig.turn(rig.main);
        rig.turn(rig.main);
        assertThat(Rig.isDone(section)).isFalse();
        rig.settle();

        assertThat(Rig.isDone(section)).isTrue();
        assertThat(recorder.visits).hasSize(1);
        assertThat(unit.walksAwaited()).isEqualTo(1);
        section.toCompletableFuture().join().close();
    }

    @Test
    @Rule("WALK-12")
    void shouldBeAwaitedByASectionThatWaitsAlready() {
        ScsiRequest request = listed(rig.a);
        Hold other = unit.gate().hold("other work", rig.main);
        CompletionStage<DrainedSection> section =
                DrainedSection.beginAsync(rig.main, unit.drainable());
        rig.turn(rig.main);

        unit.forEachRequestAsync(recorder);
        other.close();
        rig.turn(rig.main);
        rig.turn(rig.main);
        assertThat(Rig.isDone(section)).isFalse();
        rig.settle();

        assertThat(Rig.isDone(section)).isTrue();
        assertThat(recorder.visits).extracting(Visit::tag).containsExactly(request.tag());
        section.toCompletableFuture().join().close();
    }

    @Test
    @Rule("WALK-13")
    void shouldGiveTheHoldBackOnlyAfterWhatItCausedWasPublished() {
        ScsiRequest request = listed(rig.a);
        List<Boolean> settledWhenPublished = new ArrayList<>();
        recorder.action = r -> {
            r.cancel(CancelCause.ABORT, null);
            rig.a.deferCall(new DeferredCall() {
                @Override
                protected void run() {
                    settledWhenPublished.add(unit.gate().isSettled());
                }
            });
        };

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(hba.hasPublished(request)).isTrue();
        assertThat(settledWhenPublished).containsExactly(false);
        assertThat(unit.gate().isSettled()).isTrue();
    }

    @Test
    @Rule("WALK-3")
    @Rule("WALK-22")
    @Rule("SCSI-16")
    void shouldVisitInOrderOfSubmission() {
        List<Long> tags = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            tags.add(listed(rig.a).tag());
        }

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag).containsExactlyElementsOf(tags);
    }

    @Test
    @Rule("WALK-2")
    @Rule("BUG-66")
    @Rule("SBUG-3")
    @Rule("VSCSI-35")
    void shouldLetTheVisitorRemoveTheRequestItSees() {
        List<ScsiRequest> all = List.of(listed(rig.a), listed(rig.a), listed(rig.a));
        recorder.action = r -> r.cancel(CancelCause.ABORT, null);

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).hasSize(3);
        assertThat(all).noneMatch(ScsiRequest::isListed);
        assertThat(hba.pushed).hasSize(3);
    }

    @Test
    @Rule("WALK-20")
    void shouldSkipWhatLeftTheListBeforeItsTurn() {
        ScsiRequest first = listed(rig.a);
        ScsiRequest second = listed(rig.a);
        ScsiRequest third = listed(rig.a);
        recorder.action = r -> {
            if (r == first) {
                second.complete(ScsiStatus.GOOD);
            }
        };

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag)
                .containsExactly(first.tag(), third.tag());
    }

    @Test
    @Rule("WALK-21")
    void shouldNotVisitWhatArrivesWhileItWalks() {
        ScsiRequest first = listed(rig.a);
        ScsiRequest last = listed(rig.a);
        recorder.action = r -> {
            if (r == first) {
                first.complete(ScsiStatus.GOOD);
                first.prepare(rig.a, 99, FakeHba.bytes(FakeUnit.STAY), 6);
                unit.execute(first);
            }
        };

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag).containsExactly(1L, last.tag());
        assertThat(first.isListed()).isTrue();
    }

    @Test
    @Rule("SCSI-54")
    void shouldShowRequestsBeingCancelledSeparatelyAndOnce() {
        ScsiRequest cancelling = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(cancelling);
        cancelling.cancel(CancelCause.ABORT, null);
        ScsiRequest working = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(working);
        recorder.action = r -> r.cancel(CancelCause.RESET, null);

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag).containsExactly(working.tag());
        assertThat(recorder.cancelling).containsExactly(cancelling.tag());
    }

    @Test
    @Rule("WALK-17")
    void shouldEndAtOnceWhenThereWasNeverARequest() {
        unit.forEachRequestAsync(recorder);

        assertThat(recorder.ended).isEqualTo(1);
        assertThat(unit.gate().isSettled()).isTrue();
    }

    @Test
    @Rule("WALK-15")
    void shouldForgetAContextThatWasClosed() {
        AioContext c = rig.context("c");
        ScsiRequest request = hba.request(c, FakeUnit.READY);
        unit.execute(request);
        rig.settle();
        rig.retire(c);

        unit.forEachRequestAsync(recorder);
        assertThat(recorder.ended).isEqualTo(1);
        assertThat(unit.gate().isSettled()).isTrue();
        unit.forEachRequestAsync(recorder);

        assertThat(recorder.ended).isEqualTo(2);
        assertThat(unit.lists().all()).extracting(RequestList::home).doesNotContain(c);
    }

    @Test
    void shouldGoOnWhenAVisitThrows() {
        ScsiRequest first = listed(rig.a);
        ScsiRequest second = listed(rig.a);
        IllegalStateException thrown = new IllegalStateException("visitor");
        recorder.action = r -> {
            if (r == first) {
                throw thrown;
            }
        };

        unit.forEachRequestAsync(recorder);
        rig.settle();

        assertThat(recorder.visits).extracting(Visit::tag)
                .containsExactly(first.tag(), second.tag());
        assertThat(recorder.ended).isEqualTo(1);
        assertThat(rig.errors).containsExactly(thrown);
        rig.errors.clear();
        assertThat(unit.gate().isSettled()).isTrue();
    }

    @Test
    @Rule("WALK-26")
    void shouldBeStartedByControlOnly() {
        assertThatThrownBy(() -> CompletableFuture
                .runAsync(() -> unit.forEachRequestAsync(recorder)).join())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("main");
    }

    @Test
    @Rule("VSCSI-29")
    @Rule("VSCSI-32")
    @Rule("VSCSI-33")
    void shouldEndAnAbortOnlyWhenTheCommandIsAnsweredAndPublished() {
        ScsiRequest target = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(target);
        ScsiRequest other = listed(rig.b);

        CompletionStage<Integer> abort = unit.cancelTasksAsync(
                CancelCause.ABORT, r -> r.tag() == target.tag());
        rig.settle();
        assertThat(Rig.isDone(abort)).isFalse();
        unit.workComesBack(target);
        rig.settle();

        assertThat(abort.toCompletableFuture().join()).isEqualTo(1);
        assertThat(hba.hasPublished(target)).isTrue();
        assertThat(other.isListed()).isTrue();
    }

    @Test
    @Rule("SCSI-54")
    @Rule("VSCSI-29")
    @Rule("SBUG-64")
    @Rule("SCHED-6")
    @Rule("SCHED-31")
    void shouldNotEndASecondAbortBeforeTheCommandIsGone() {
        ScsiRequest target = hba.request(rig.a, FakeUnit.WORK);
        unit.execute(target);

        CompletionStage<Integer> first = unit.cancelTasksAsync(CancelCause.ABORT, r -> true);
        rig.settle();
        CompletionStage<Integer> second = unit.cancelTasksAsync(CancelCause.ABORT, r -> true);
        CompletionStage<Integer> query = unit.countTasksAsync(r -> true);
        rig.settle();
        assertThat(Rig.isDone(first)).isFalse();
        assertThat(Rig.isDone(second)).isFalse();
        assertThat(query.toCompletableFuture().join()).isEqualTo(1);
        unit.workComesBack(target);
        rig.settle();

        assertThat(Rig.isDone(first)).isTrue();
        assertThat(Rig.isDone(second)).isTrue();
        assertThat(hba.pushed).hasSize(1);
    }

    @Test
    @Rule("VSCSI-31")
    void shouldEndAnAbortThatFindsNothing() {
        listed(rig.a);

        CompletionStage<Integer> abort = unit.cancelTasksAsync(CancelCause.ABORT, r -> false);
        rig.settle();

        assertThat(abort.toCompletableFuture().join()).isZero();
        assertThat(unit.listedRequests()).isEqualTo(1);
    }

    private ScsiRequest listed(AioContext home) {
        ScsiRequest request = hba.request(home, FakeUnit.STAY);
        unit.execute(request);
        return request;
    }

    private record Visit(long tag, AioContext home, AioContext ranIn) {}

    private final class Recorder implements RequestVisitor {
        private final List<Visit> visits = new ArrayList<>();
        private final List<Long> cancelling = new ArrayList<>();
        private Consumer<ScsiRequest> action = r -> {};
        private int ended;

        @Override
        public void visit(ScsiRequest request) {
            visits.add(new Visit(request.tag(), request.home(), rig.running()));
            action.accept(request);
        }

        @Override
        public void visitCancelling(ScsiRequest request) {
            cancelling.add(request.tag());
        }

        @Override
        public void ended() {
            ended++;
        }
    }
}
