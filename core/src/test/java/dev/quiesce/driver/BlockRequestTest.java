package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.filter.RawDriver;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockRequestTest {
    private final ScriptedDriver driver = new ScriptedDriver();
    private final Rig rig = new Rig(TestNode.of(driver));
    private final TestPort port = rig.port();
    private final Recorder recorder = new Recorder();
    private final BlockRequest request = new BlockRequest(recorder);

    @AfterEach
    void closeRig() {
        rig.close();
    }

    private void flush() {
        port.submit(request.prepare(Operation.FLUSH, 0, 0, null, 0));
    }

    @Test
    @Rule("BB-33")
    @Rule("BB-34")
    void shouldDeliverFromTheLoopEvenWhenTheDriverCompletesInsideSubmit() {
        driver.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));

        flush();

        assertThat(recorder.statuses()).isEmpty();
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("BB-36")
    @Rule("BUG-45")
    void shouldDeliverAForeignCompletionInItsHomeContext() throws InterruptedException {
        flush();
        Thread foreign = new Thread(() -> driver.held().get(0).complete(BlockStatus.OK, null));

        foreign.start();
        port.settle();

        foreign.join();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldRefuseARequestThatWasNeverPrepared() {
        assertThat(request.isIdle()).isTrue();

        assertThatThrownBy(() -> port.submit(request)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("never prepared");

        assertThat(driver.held()).isEmpty();
        assertThat(recorder.statuses()).isEmpty();
        flush();
        assertThat(driver.held()).hasSize(1);
    }

    @Test
    void shouldStillBeUnpreparedAfterAPreparationThatWasRefused() {
        assertThatThrownBy(() -> request.prepare(Operation.WRITE, 0, 512, null, 0))
                .isInstanceOf(IllegalArgumentException.class);

        assertThatThrownBy(() -> port.submit(request)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("never prepared");
    }

    @Test
    void shouldNotBeDeliveredBecauseSomebodyPostsIt() {
        rig.context().post(request);
        rig.context().poll(0);
        assertThat(rig.errors()).singleElement().asString().contains("must be done");
        flush();

        rig.context().post(request);
        rig.context().poll(0);

        assertThat(rig.errors()).hasSize(2).last().asString().contains("must be done");
        assertThat(port.inFlight()).isEqualTo(1);
        assertThat(recorder.statuses()).isEmpty();
        driver.held().get(0).complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldCarryTheCauseUntilItIsPreparedAgain() {
        Exception cause = new Exception("broken");
        flush();

        driver.held().get(0).complete(BlockStatus.IO_ERROR, cause);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).isSameAs(cause);
        assertThat(request.prepare(Operation.FLUSH, 0, 0, null, 0).cause()).isNull();
    }

    @Test
    @Rule("REQ-57")
    void shouldRefuseASecondCompletion() {
        port.submit(request.prepare(Operation.WRITE_ZEROES, 4096, 512, null, 0));
        BlockRequest held = driver.held().get(0);
        held.complete(BlockStatus.OK, null);

        assertThatThrownBy(() -> held.complete(BlockStatus.IO_ERROR, null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("WRITE_ZEROES")
                .hasMessageContaining("offset 4096")
                .hasMessageContaining("driver scripted")
                .hasMessageContaining("last completed with OK on " + Thread.currentThread());

        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-57")
    void shouldRefuseACompletionAfterTheRequestIsIdle() {
        flush();
        driver.held().get(0).complete(BlockStatus.OK, null);
        port.settle();

        assertThatThrownBy(() -> request.complete(BlockStatus.OK, null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("idle");

        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-57")
    @Rule("SBUG-49")
    void shouldLetExactlyOneOfManyCompletersWin() throws InterruptedException {
        for (int round = 0; round < 300; round++) {
            flush();
            BlockRequest held = driver.held().remove(0);
            List<Thread> racers = new ArrayList<>();
            List<BlockStatus> refused = Collections.synchronizedList(new ArrayList<>());
            for (BlockStatus status : List.of(BlockStatus.OK, BlockStatus.IO_ERROR)) {
                racers.add(new Thread(() -> {
                    try {
                        held.complete(status, null);
                    } catch (IllegalStateException e) {
                        refused.add(status);
                    }
                }));
            }

            racers.forEach(Thread::start);
            port.settle();
            for (Thread racer : racers) {
                racer.join();
            }

            assertThat(refused).hasSize(1);
            assertThat(recorder.only()).isNotEqualTo(refused.get(0));
        }
    }

    @Test
    void shouldBePreparedOnlyWhileIdle() {
        flush();

        assertThatThrownBy(() -> request.prepare(Operation.FLUSH, 0, 0, null, 0))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("started");

        request.complete(BlockStatus.OK, null);
        port.settle();
    }

    @Test
    void shouldRefuseAMissingOrShortPayload() {
        assertThatThrownBy(() -> request.prepare(Operation.READ, 0, 512, null, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> request.prepare(
                Operation.WRITE, 0, 513, Rig.vectorOf(new byte[512]), 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("513");
    }

    @Test
    @Rule("REQ-12")
    void shouldRefuseFlagsOnWhatModifiesNothing() {
        IoVector payload = Rig.vectorOf(new byte[512]);

        for (Operation op : List.of(Operation.READ, Operation.FLUSH, Operation.STATUS)) {
            assertThatThrownBy(() -> request.prepare(op, 0, 512, payload, BlockRequest.FUA))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(op.name()).hasMessageContaining("flags 2");
            assertThat(request.prepare(op, 0, 512, payload, 0).flags()).isZero();
        }
    }

    @Test
    void shouldHaveNoPayloadWhereNoneBelongs() {
        request.prepare(Operation.WRITE_ZEROES, 0, 512, new IoVector(), 0);

        assertThatThrownBy(request::payload).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldRefuseToBeSubmittedTwiceOrWithoutABoundary() {
        flush();

        assertThatThrownBy(() -> port.submit(request)).isInstanceOf(IllegalStateException.class);
        BlockRequest loose = new BlockRequest(recorder).prepare(Operation.FLUSH, 0, 0, null, 0);
        assertThatThrownBy(() -> TestNode.of(driver).submit(loose))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("boundary");

        request.complete(BlockStatus.OK, null);
        port.settle();
    }

    @Test
    void shouldCompleteWithNoMediumWhereNothingIsBelow() {
        try (Rig empty = new Rig(null)) {
            assertThat(empty.flush()).isEqualTo(BlockStatus.NO_MEDIUM);
        }
    }

    @Test
    @Rule("BB-37")
    void shouldBeResubmittedFromItsOwnCompletion() {
        int[] left = {1000};
        BlockRequest again = new BlockRequest((r, status) -> {
            if (--left[0] > 0) {
                port.submit(r.prepare(Operation.FLUSH, 0, 0, null, 0));
            }
        });
        driver.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));

        port.run(again.prepare(Operation.FLUSH, 0, 0, null, 0));

        assertThat(left[0]).isZero();
    }

    @Test
    void shouldRefuseCallsFromAnotherThread() throws InterruptedException {
        flush();
        List<Throwable> thrown = new ArrayList<>();
        Thread foreign = new Thread(() -> {
            for (Runnable call : List.<Runnable>of(
                    request::cancel, () -> request.child(recorder))) {
                try {
                    call.run();
                } catch (IllegalStateException e) {
                    thrown.add(e);
                }
            }
        });

        foreign.start();
        foreign.join();

        assertThat(thrown).hasSize(2)
                .allSatisfy(e -> assertThat(e).hasMessageContaining("test"));
        request.complete(BlockStatus.OK, null);
        port.settle();
    }

    @Test
    void shouldKeepTheSubmittedOffsetWhenShifted() {
        TestNode below = TestNode.of(driver);
        ScriptedDriver filter = new ScriptedDriver()
                .onSubmit((r, node) -> r.forwardShifted(node.child(0), 1 << 20));
        TestPort shifted = new TestPort(rig.context(), TestNode.of(filter, below));

        shifted.submit(request.prepare(Operation.WRITE_ZEROES, 512, 512, null, 0));

        assertThat(request.offsetBytes()).isEqualTo(512 + (1 << 20));
        assertThat(request.submittedOffsetBytes()).isEqualTo(512);
        request.complete(BlockStatus.OK, null);
        shifted.settle();
    }

    @Test
    void shouldFailWhenItsDriverThrows() {
        RuntimeException bug = new IllegalStateException("a driver's bug");
        driver.onSubmit((r, node) -> {
            throw bug;
        });

        flush();
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).isSameAs(bug);
    }

    @Test
    void shouldFailWhenTheGuestsMemoryIsGone() {
        driver.onSubmit((r, node) -> {
            throw new InternalError("a fault in a mapping");
        });

        flush();
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void shouldPassOnWhatADriverThrowsAfterCompleting() {
        driver.onSubmit((r, node) -> {
            r.complete(BlockStatus.OK, null);
            throw new IllegalStateException("too late");
        });

        assertThatThrownBy(this::flush).hasMessage("too late");

        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldStampEachSubmission() {
        driver.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));
        int before = request.generation();

        flush();
        port.settle();
        flush();
        port.settle();

        assertThat(request.generation()).isEqualTo(before + 2);
    }

    @Test
    void shouldAllocateNothingInTheSteadyState() {
        TestNode below = TestNode.of(new NullDriver(0));
        Fragments fragments = new Fragments(below);
        driver.onSubmit((r, node) -> fragments.serve(r));
        BlockRequest plain = new BlockRequest((r, status) -> { });

        Allocation.assertNone(
                () -> port.run(plain.prepare(Operation.FLUSH, 0, 8, null, 0)));
    }

    @Test
    @Rule("REQ-58")
    void shouldAskForTheSameAgainWhenSubmittedWithoutPreparation() {
        List<Long> offsets = new ArrayList<>();
        List<Boolean> cancelled = new ArrayList<>();
        ScriptedDriver lower = new ScriptedDriver().onSubmit((r, node) -> {
            offsets.add(r.offsetBytes());
            cancelled.add(r.isCancelRequested());
        });
        Recorder retried = new Recorder();
        BlockRequest retry = new BlockRequest(retried);
        try (Rig window = new Rig(TestNode.of(
                new RawDriver(4096, RawDriver.REMAINDER), TestNode.of(lower)))) {
            window.port().submit(retry.prepare(Operation.WRITE_ZEROES, 512, 512, null, 0));
            retry.cancel();
            retry.complete(BlockStatus.CANCELLED, null);
            window.port().settle();

            window.port().submit(retry);
            retry.complete(BlockStatus.OK, null);
            window.port().settle();
        }

        assertThat(offsets).containsExactly(4608L, 4608L);
        assertThat(cancelled).containsExactly(false, false);
        assertThat(retried.statuses()).containsExactly(BlockStatus.CANCELLED, BlockStatus.OK);
    }
}
