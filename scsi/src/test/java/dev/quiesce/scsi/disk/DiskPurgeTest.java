package dev.quiesce.scsi.disk;

import static dev.quiesce.scsi.disk.DiskRig.BLOCK;
import static dev.quiesce.scsi.disk.DiskRig.filled;
import static dev.quiesce.scsi.disk.DiskRig.read10;
import static dev.quiesce.scsi.disk.DiskRig.sixteen;
import static dev.quiesce.scsi.disk.DiskRig.ten;
import static dev.quiesce.scsi.disk.DiskRig.write10;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendListener;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.Rig;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cancel, purge and drain against real block requests: in the driver, parked, between steps. */
class DiskPurgeTest {
    private static final byte[] NONE = {};

    private final DiskRig rig = new DiskRig();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("PURGE-2")
    @Rule("BB-41")
    void shouldCancelRequestsInTheDriverInSeveralContexts() {
        rig.driver.stalled = true;
        List<ScsiRequest> all = List.of(read(rig.rig.a), read(rig.rig.b), read(rig.rig.main));
        rig.rig.settle();
        assertThat(rig.driver.held).hasSize(3);

        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(all).allSatisfy(r ->
                assertThat(rig.hba.answerTo(r).cause()).isEqualTo(CancelCause.RESET));
        assertThat(rig.disk.unitAttentions()).containsExactly(Sense.UA_RESET);
        assertThat(rig.backend.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-9")
    void shouldRefuseToWaitForAPurgeInAHook() {
        ScsiBus bus = new ScsiBus(rig.rig.main, ScsiBusConfig.largest());
        ScsiAddress address = new ScsiAddress(0, 0);
        bus.plug(rig.disk, address);
        List<Sense> attentions = rig.disk.unitAttentions();
        List<Throwable> refused = new ArrayList<>();
        rig.backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                refused.add(catchThrowable(() -> rig.disk.purge(CancelCause.ABORT, null)));
                refused.add(catchThrowable(rig.disk::reset));
                refused.add(catchThrowable(() -> bus.unplugBlocking(address)));
            }
        });

        DrainedSection.begin(rig.backend).close();

        assertThat(refused).hasSize(3).allSatisfy(e -> assertThat(e)
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("within a hook"));
        assertThat(bus.find(address)).isSameAs(rig.disk);
        assertThat(rig.disk.unitAttentions()).isEqualTo(attentions);
        assertThat(rig.backend.isQuiesced()).isFalse();
        bus.unplugBlocking(address);
    }

    @Test
    @Rule("PURGE-2")
    void shouldWaitForADriverThatCannotCancel() {
        rig.driver.stalled = true;
        rig.driver.cancellable = false;
        ScsiRequest request = read(rig.rig.a);
        rig.rig.settle();

        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.settle();
        assertThat(Rig.isDone(reset)).isFalse();
        assertThat(rig.disk.cancellingRequests()).isEqualTo(1);
        rig.driver.releaseAll();
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(rig.hba.answerTo(request).cause()).isEqualTo(CancelCause.RESET);
    }

    @Test
    @Rule("PURGE-6")
    void shouldCancelParkedRequestsInsideSomebodyElsesSection() {
        CompletionStage<DrainedSection> outer =
                DrainedSection.beginAsync(rig.rig.main, rig.backend);
        rig.rig.settle();
        ScsiRequest parked = read(rig.rig.a);
        ScsiRequest inB = read(rig.rig.b);
        rig.rig.settle();
        assertThat(rig.driver.log).isEmpty();

        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(rig.hba.answerTo(parked).cause()).isEqualTo(CancelCause.RESET);
        assertThat(rig.hba.answerTo(inB).cause()).isEqualTo(CancelCause.RESET);
        assertThat(rig.backend.stats().cancelledWhileParked()).isEqualTo(2);
        outer.toCompletableFuture().join().close();
        rig.rig.settle();
        assertThat(rig.driver.log).isEmpty();
    }

    @Test
    @Rule("PURGE-7")
    void shouldPurgeWithoutAMedium() {
        rig.backend.removeRoot();
        ScsiRequest request = read(rig.rig.a);

        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(rig.hba.hasAnswered(request)).isTrue();
        rig.backend.insert(rig.graph.find("data"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    @Rule("PURGE-2")
    @Rule("SCSI-30")
    @Rule("SCHED-1")
    void shouldAnswerThreeWritesOnceInWhateverOrderTheyEnd(int order) {
        rig.driver.stalled = true;
        rig.driver.cancellable = false;
        List<ScsiRequest> writes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            writes.add(rig.start(rig.rig.a, filled(BLOCK, i), 0, write10(i, 1)));
        }
        rig.rig.settle();
        List<BlockRequest> held = new ArrayList<>(rig.driver.held);
        Collections.shuffle(held, new Random(order));

        rig.driver.release(held.get(0));
        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.turn(rig.rig.main);
        rig.driver.release(held.get(1));
        rig.rig.settle();
        assertThat(Rig.isDone(reset)).isFalse();
        rig.driver.release(held.get(2));
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(rig.hba.pushed).hasSize(3);
        assertThat(writes).allSatisfy(w -> assertThat(rig.hba.hasPublished(w)).isTrue());
        assertThat(rig.disk.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("PURGE-3")
    @Rule("VSCSI-38")
    void shouldRunACommandThatArrivesDuringAResetWhollyAfterIt() {
        rig.driver.stalled = true;
        rig.driver.cancellable = false;
        read(rig.rig.a);
        rig.rig.settle();
        CompletionStage<Void> reset = rig.disk.resetAsync();
        rig.rig.settle();
        ScsiRequest first = rig.start(rig.rig.b, filled(BLOCK, 5), 0, write10(9, 1));
        ScsiRequest second = rig.start(rig.rig.b, filled(BLOCK, 5), 0, write10(9, 1));
        rig.rig.settle();
        assertThat(rig.driver.log).hasSize(1);

        rig.driver.releaseAll();
        rig.rig.settle();

        assertThat(Rig.isDone(reset)).isTrue();
        assertThat(rig.hba.answerTo(first).sense()).isEqualTo(Sense.UA_RESET);
        assertThat(rig.hba.answerTo(second).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(rig.read(9, 1)).isEqualTo(filled(BLOCK, 5));
    }

    @Test
    @Rule("WALK-24")
    void shouldParkACommandOfSeveralStepsBetweenTwoSteps() {
        ScsiRequest request = stalledWriteSame();

        CompletionStage<DrainedSection> section =
                DrainedSection.beginAsync(rig.rig.main, rig.backend);
        rig.rig.settle();
        assertThat(Rig.isDone(section)).isFalse();
        rig.driver.releaseAll();
        rig.rig.settle();
        assertThat(Rig.isDone(section)).isTrue();
        assertThat(rig.driver.log).hasSize(1);
        assertThat(request.isListed()).isTrue();
        section.toCompletableFuture().join().close();
        rig.rig.settle();

        assertThat(rig.hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(rig.driver.log).hasSize(16);
    }

    @Test
    @Rule("PURGE-6")
    void shouldCancelACommandOfSeveralStepsThatIsParkedHalfDone() {
        ScsiRequest request = stalledWriteSame();
        CompletionStage<DrainedSection> section =
                DrainedSection.beginAsync(rig.rig.main, rig.backend);
        rig.driver.releaseAll();
        rig.rig.settle();

        CompletionStage<Integer> abort = rig.disk.cancelTasksAsync(CancelCause.ABORT, r -> true);
        rig.rig.settle();

        assertThat(abort.toCompletableFuture().join()).isEqualTo(1);
        assertThat(rig.hba.answerTo(request).cause()).isEqualTo(CancelCause.ABORT);
        assertThat(rig.driver.log).hasSize(1);
        section.toCompletableFuture().join().close();
    }

    @Test
    @Rule("PURGE-26")
    void shouldTakeNoFurtherStepOnceCancelled() {
        rig.driver.cancellable = false;
        ScsiRequest request = stalledWriteSame();
        CompletionStage<Integer> abort = rig.disk.cancelTasksAsync(CancelCause.ABORT, r -> true);
        rig.rig.settle();
        assertThat(Rig.isDone(abort)).isFalse();

        rig.driver.releaseAll();
        rig.rig.settle();

        assertThat(Rig.isDone(abort)).isTrue();
        assertThat(rig.hba.answerTo(request).cause()).isEqualTo(CancelCause.ABORT);
        assertThat(rig.driver.log).hasSize(1);
    }

    @Test
    @Rule("PURGE-26")
    void shouldReportACancelledRequestAsCancelledEvenIfItFailed() {
        rig.driver.stalled = true;
        rig.driver.cancellable = false;
        ScsiRequest request = read(rig.rig.a);
        rig.rig.settle();
        rig.driver.fault = r -> BlockStatus.IO_ERROR;
        rig.disk.cancelTasksAsync(CancelCause.ABORT, r -> true);
        rig.rig.settle();

        rig.driver.releaseAll();
        rig.rig.settle();

        assertThat(rig.hba.answerTo(request).cause()).isEqualTo(CancelCause.ABORT);
    }

    @Test
    void shouldUseARequestAgainOnAnotherDiskAndInAnotherContext() {
        try (DiskRig other = new DiskRig()) {
            ScsiRequest request = read(rig.rig.a);
            rig.rig.settle();
            Object state = request.unitData;

            request.prepare(other.rig.a, 1000, FakeHba.bytes(write10(3, 1)), 10)
                    .withData(vector(filled(BLOCK, 8)), vector(NONE));
            other.disk.execute(request);
            other.rig.settle();

            assertThat(rig.hba.answerTo(1000).status()).isEqualTo(ScsiStatus.GOOD);
            assertThat(request.unitData).isSameAs(state);
            assertThat(other.read(3, 1)).isEqualTo(filled(BLOCK, 8));
        }
    }

    @Test
    @Rule("WALK-24")
    @Rule("DRAIN-24")
    void shouldLoseNothingUnderRandomDrainsResetsAndAborts() {
        for (long seed = 1; seed <= 40; seed++) {
            new RandomRun(seed).run();
        }
    }

    private ScsiRequest stalledWriteSame() {
        rig.driver.stalled = true;
        ScsiRequest request =
                rig.start(rig.rig.a, filled(BLOCK, 1), 0, sixteen(0x93, 0, 0, 2048));
        rig.rig.settle();
        assertThat(rig.driver.held).hasSize(1);
        return request;
    }

    private ScsiRequest read(AioContext home) {
        return rig.start(home, NONE, BLOCK, read10(0, 1));
    }

    private static IoVector vector(byte[] content) {
        IoVector vector = new IoVector();
        vector.add(ByteBuffer.wrap(content), 0, content.length);
        return vector;
    }

    /** Commands, releases, sections, resets and aborts at random; then everything must end. */
    private final class RandomRun {
        private final long seed;
        private final Random random;
        private final List<ScsiRequest> issued = new ArrayList<>();
        private final List<CompletionStage<?>> control = new ArrayList<>();
        private CompletionStage<DrainedSection> section;

        RandomRun(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
        }

        void run() {
            rig.driver.stalled = true;
            rig.driver.cancellable = random.nextBoolean();
            for (int i = 0; i < 150; i++) {
                act();
            }
            for (int rounds = 0; !isOver(); rounds++) {
                endSection();
                releaseOne();
                rig.rig.settle();
                assertThat(rounds).as("rounds with seed %d", seed).isLessThan(10_000);
            }
            assertThat(issued).as("seed %d", seed)
                    .allSatisfy(r -> assertThat(rig.hba.answerTo(r)).isNotNull());
            assertThat(rig.disk.listedRequests() + rig.disk.cancellingRequests()).isZero();
            assertThat(rig.disk.gate().isSettled()).isTrue();
        }

        private void act() {
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3 -> issue();
                case 4, 5, 6 -> releaseOne();
                case 7 -> control.add(rig.disk.resetAsync());
                case 8 -> control.add(rig.disk.cancelTasksAsync(
                        CancelCause.ABORT, r -> r.tag() % 3 == 0));
                case 9 -> beginOrEndSection();
                default -> turn();
            }
        }

        private void issue() {
            AioContext home = context();
            int lba = random.nextInt(1000);
            issued.add(switch (random.nextInt(5)) {
                case 0 -> rig.start(home, NONE, 4 * BLOCK, read10(lba, 4));
                case 1 -> rig.start(home, filled(BLOCK, 1), 0, write10(lba, 1));
                case 2 -> rig.start(home, filled(BLOCK, 1), 0, ten(0x41, 0, lba, 500));
                case 3 -> rig.start(home, NONE, 0, 0, 0, 0, 0, 0, 0);
                default -> rig.start(home, NONE, 0, ten(0x35, 0, 0, 0));
            });
        }

        private void releaseOne() {
            if (!rig.driver.held.isEmpty()) {
                int which = random.nextInt(rig.driver.held.size());
                rig.driver.release(rig.driver.held.get(which));
            }
        }

        private void beginOrEndSection() {
            if (section == null) {
                section = DrainedSection.beginAsync(rig.rig.main, rig.backend);
            } else {
                endSection();
            }
        }

        private void endSection() {
            if (section != null && Rig.isDone(section)) {
                section.toCompletableFuture().join().close();
                section = null;
            }
        }

        private boolean isOver() {
            return section == null && control.stream().allMatch(Rig::isDone)
                    && issued.stream().allMatch(rig.hba::hasPublished);
        }

        private void turn() {
            rig.rig.turn(context());
        }

        private AioContext context() {
            return List.of(rig.rig.main, rig.rig.a, rig.rig.b).get(random.nextInt(3));
        }
    }
}
