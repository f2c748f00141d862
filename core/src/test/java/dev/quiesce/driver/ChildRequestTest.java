package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChildRequestTest {
    private static final int MANY = 64_000;

    private final ScriptedDriver lower = new ScriptedDriver();
    private final ScriptedDriver upper = new ScriptedDriver();
    private final TestNode lowerNode = TestNode.of(lower);
    private final Rig rig = new Rig(TestNode.of(upper, lowerNode));
    private final TestPort port = rig.port();
    private final Recorder recorder = new Recorder();
    private final BlockRequest request = new BlockRequest(recorder);

    @AfterEach
    void closeRig() {
        rig.close();
    }

    private void submit(long length) {
        port.submit(request.prepare(Operation.WRITE_ZEROES, 0, length, null, 0));
    }

    @Test
    void shouldFailARequestWhoseDriverSubmitsAChildThatWasNeverPrepared() {
        upper.onSubmit((r, node) -> node.child(0).submit(r.child((child, status) -> { })));

        submit(512);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).hasMessageContaining("never prepared");
        assertThat(lower.held()).isEmpty();
    }

    @Test
    void shouldKeepTheStackFlatOverManyInlineFragments() {
        TestNode below = TestNode.of(new NullDriver(0));
        Fragments fragments = new Fragments(below);
        upper.onSubmit((r, node) -> fragments.serve(r));

        submit(MANY);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
        assertThat(fragments.deepest()).isEqualTo(1);
    }

    @Test
    void shouldKeepTheStackFlatWhenEveryFragmentIsItselfFragmented() {
        TestNode bottom = TestNode.of(new NullDriver(0));
        ScriptedDriver middle = new ScriptedDriver();
        TestNode middleNode = TestNode.of(middle, bottom);
        Fragments outer = new Fragments(middleNode);
        Fragments inner = new Fragments(bottom);
        middle.onSubmit((r, node) -> inner.serve(r));
        upper.onSubmit((r, node) -> outer.serve(r));

        submit(MANY);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
        assertThat(outer.deepest()).isEqualTo(1);
        assertThat(inner.deepest()).isEqualTo(1);
    }

    @Test
    void shouldKeepTheStackFlatOverManyForeignFragments() throws InterruptedException {
        BlockingQueue<BlockRequest> handedOver = new LinkedBlockingQueue<>();
        Fragments fragments = new Fragments(lowerNode);
        upper.onSubmit((r, node) -> fragments.serve(r));
        lower.onSubmit((r, node) -> handedOver.add(r));
        Thread foreign = new Thread(() -> completeAll(handedOver, 5000));

        foreign.start();
        submit(5000);
        port.settle();

        foreign.join();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
        assertThat(fragments.deepest()).isEqualTo(1);
    }

    private static void completeAll(BlockingQueue<BlockRequest> requests, int count) {
        try {
            for (int i = 0; i < count; i++) {
                requests.take().complete(BlockStatus.OK, null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void shouldRunAStepOnlyAfterTheSubmitThatStartedIt() {
        List<String> order = new ArrayList<>();
        lower.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));
        upper.onSubmit((r, node) -> {
            node.child(0).submit(r.child((child, status) -> {
                order.add("step");
                r.complete(status, null);
            }).prepare(Operation.FLUSH, 0, 0, null, 0));
            order.add("submit returned");
        });

        submit(1);
        port.settle();

        assertThat(order).containsExactly("submit returned", "step");
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldRunStepsInTheOrderOfCompletion() {
        List<String> order = new ArrayList<>();
        upper.onSubmit((r, node) -> {
            for (int slot = 0; slot < 3; slot++) {
                String name = "step " + slot;
                BlockRequest child = r.child(slot, (c, status) -> {
                    order.add(name);
                    if (order.size() == 3) {
                        r.complete(status, null);
                    }
                });
                node.child(0).submit(child.prepare(Operation.FLUSH, 0, 0, null, 0));
            }
        });

        submit(1);
        lower.held().get(2).complete(BlockStatus.OK, null);
        lower.held().get(0).complete(BlockStatus.OK, null);
        lower.held().get(1).complete(BlockStatus.OK, null);
        port.settle();

        assertThat(order).containsExactly("step 2", "step 0", "step 1");
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldReuseTheChildOfASlot() {
        List<BlockRequest> children = new ArrayList<>();
        lower.onSubmit((r, node) -> {
            children.add(r);
            r.complete(BlockStatus.OK, null);
        });
        upper.onSubmit((r, node) -> node.child(0).submit(
                r.child((c, status) -> r.complete(status, null))
                        .prepare(Operation.FLUSH, 0, 0, null, 0)));

        submit(1);
        port.settle();
        submit(1);
        port.settle();

        assertThat(children).hasSize(2);
        assertThat(children.get(0)).isSameAs(children.get(1));
    }

    @Test
    void shouldRefuseASlotThatIsUnderWay() {
        upper.onSubmit((r, node) -> node.child(0).submit(
                r.child((c, status) -> r.complete(status, null))
                        .prepare(Operation.FLUSH, 0, 0, null, 0)));
        submit(1);

        assertThatThrownBy(() -> request.child(recorder))
                .isInstanceOf(IllegalStateException.class);

        lower.held().get(0).complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldHaveItsParentsHome() {
        upper.onSubmit((r, node) -> node.child(0).submit(
                r.child((c, status) -> r.complete(status, null))
                        .prepare(Operation.FLUSH, 0, 0, null, 0)));

        submit(1);

        assertThat(lower.held().get(0).home()).isSameAs(rig.context());
        lower.held().get(0).complete(BlockStatus.OK, null);
        port.settle();
        assertThat(request.homeOrNull()).isNull();
    }

    @Test
    void shouldFailItsParentWhenAStepThrows() {
        upper.onSubmit((r, node) -> node.child(0).submit(
                r.child((c, status) -> {
                    throw new IllegalStateException("a step's bug");
                }).prepare(Operation.FLUSH, 0, 0, null, 0)));

        submit(1);
        lower.held().get(0).complete(BlockStatus.OK, null);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).hasMessage("a step's bug");
    }

    @Test
    @Rule("I1")
    void shouldWaitForAChildWhenItsDriverThrows() {
        List<BlockStatus> steps = new ArrayList<>();
        upper.onSubmit((r, node) -> {
            node.child(0).submit(r.child((c, status) -> steps.add(status))
                    .prepare(Operation.FLUSH, 0, 0, null, 0));
            throw new IllegalStateException("a driver's bug");
        });
        submit(1);
        rig.context().poll(0);
        BlockRequest child = lower.held().get(0);

        assertThat(recorder.statuses()).isEmpty();
        assertThat(lower.cancelled()).containsExactly(child);
        child.complete(BlockStatus.OK, null);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).hasMessage("a driver's bug");
        assertThat(steps).isEmpty();
        upper.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));
        submit(1);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
        assertThat(request.cause()).isNull();
    }

    @Test
    @Rule("I1")
    void shouldWaitForTheOtherChildWhenAStepThrows() {
        List<BlockStatus> steps = new ArrayList<>();
        upper.onSubmit((r, node) -> {
            node.child(0).submit(r.child(0, (c, status) -> {
                throw new IllegalStateException("a step's bug");
            }).prepare(Operation.FLUSH, 0, 0, null, 0));
            node.child(0).submit(r.child(1, (c, status) -> steps.add(status))
                    .prepare(Operation.FLUSH, 0, 0, null, 0));
        });
        submit(1);
        lower.held().get(0).complete(BlockStatus.OK, null);
        rig.context().poll(0);

        assertThat(recorder.statuses()).isEmpty();
        assertThat(lower.cancelled()).containsExactly(lower.held().get(1));
        lower.held().get(1).complete(BlockStatus.CANCELLED, null);
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).hasMessage("a step's bug");
        assertThat(steps).isEmpty();
    }

    @Test
    void shouldTakeTheRequestFromADriverThatThrew() {
        upper.onSubmit((r, node) -> {
            node.child(0).submit(r.child((c, status) -> { })
                    .prepare(Operation.FLUSH, 0, 0, null, 0));
            throw new IllegalStateException("a driver's bug");
        });
        submit(1);

        assertThatThrownBy(() -> request.complete(BlockStatus.OK, null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("surplus completion");

        lower.held().get(0).complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void shouldWaitForGrandchildrenWhenADriverInTheMiddleThrows() {
        ScriptedDriver middle = new ScriptedDriver();
        TestNode middleNode = TestNode.of(middle, lowerNode);
        middle.onSubmit((r, node) -> {
            node.child(0).submit(r.child((c, status) -> { })
                    .prepare(Operation.FLUSH, 0, 0, null, 0));
            throw new IllegalStateException("a bug in the middle");
        });
        List<BlockStatus> steps = new ArrayList<>();
        upper.onSubmit((r, node) -> middleNode.submit(r.child((c, status) -> {
            steps.add(status);
            r.complete(status, c.cause());
        }).prepare(Operation.FLUSH, 0, 0, null, 0)));

        submit(1);
        rig.context().poll(0);
        assertThat(steps).isEmpty();
        lower.held().get(0).complete(BlockStatus.OK, null);
        port.settle();

        assertThat(steps).containsExactly(BlockStatus.IO_ERROR);
        assertThat(recorder.only()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(request.cause()).hasMessage("a bug in the middle");
    }

    @Test
    void shouldStrandNobodyWhenAStepLeavesWithAnError() {
        upper.onSubmit((r, node) -> {
            node.child(0).submit(r.child(0, (c, status) -> {
                throw new AssertionError("ours");
            }).prepare(Operation.FLUSH, 0, 0, null, 0));
            node.child(0).submit(r.child(1, (c, status) -> r.complete(status, null))
                    .prepare(Operation.FLUSH, 0, 0, null, 0));
        });
        lower.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));

        assertThatThrownBy(() -> submit(1)).hasMessage("ours");
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-58")
    void shouldCancelWithItsParentInTheDriverThatHoldsIt() {
        upper.onSubmit((r, node) -> node.child(0).submit(
                r.child((c, status) -> r.complete(status, null))
                        .prepare(Operation.FLUSH, 0, 0, null, 0)));
        submit(1);
        BlockRequest child = lower.held().get(0);

        request.cancel();

        assertThat(upper.cancelled()).containsExactly(request);
        assertThat(lower.cancelled()).containsExactly(child);
        assertThat(child.isCancelRequested()).isTrue();
        child.complete(BlockStatus.CANCELLED, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
    }

    @Test
    @Rule("BB-41")
    void shouldCancelAForwardedRequestWhereItIsNow() {
        upper.onSubmit((r, node) -> r.forward(node.child(0)));
        submit(1);

        request.cancel();
        request.cancel();

        assertThat(upper.cancelled()).isEmpty();
        assertThat(lower.cancelled()).containsExactly(request);
        assertThat(port.cancelsSeen()).isEqualTo(1);
        request.complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("BB-41")
    void shouldCompleteCancelledWhileParkedThroughTheLoop() {
        port.parkFromNowOn();
        submit(1);

        request.cancel();

        assertThat(recorder.statuses()).isEmpty();
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
        assertThat(upper.held()).isEmpty();
    }

    @Test
    @Rule("BB-41")
    void shouldNotStartWhatWasCancelledBetweenParkingAndStart() {
        port.parkFromNowOn();
        port.loseCancels();
        submit(1);

        request.cancel();
        port.replay();
        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
        assertThat(upper.held()).isEmpty();
    }

    @Test
    void shouldTakeNoNoticeOfACancelWhenIdleOrDone() {
        request.cancel();
        upper.onSubmit((r, node) -> r.complete(BlockStatus.OK, null));
        submit(1);
        request.cancel();

        port.settle();

        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
        assertThat(upper.cancelled()).isEmpty();
    }

    @Test
    void shouldStartUncancelledAgain() {
        submit(1);
        request.cancel();
        request.complete(BlockStatus.CANCELLED, null);
        port.settle();

        submit(1);

        assertThat(request.isCancelRequested()).isFalse();
        request.complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.statuses()).containsExactly(BlockStatus.CANCELLED, BlockStatus.OK);
    }

    @Test
    void shouldReplayParkedRequests() {
        port.parkFromNowOn();
        submit(1);
        assertThat(request.isParked()).isTrue();

        port.replay();

        assertThat(upper.held()).containsExactly(request);
        request.complete(BlockStatus.OK, null);
        port.settle();
        assertThat(recorder.only()).isEqualTo(BlockStatus.OK);
    }
}
