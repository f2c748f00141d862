package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.queue.RingInbox;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * The scenarios JCQ-T as far as they apply to an unbounded inbox of one taker. Its array is so
 * small that it is full again and again.
 */
class InboxScenariosTest {
    private static final int POSTERS = 3;
    private static final int TASKS = 20_000;

    /** What fits into memory, should the one who seals come late. */
    private static final int ENOUGH = 1_000_000;

    private final Inbox<Task> inbox = new RingInbox<>(2, 16);
    private final Task.Fifo list = new Task.Fifo();

    @Test
    @Rule("JCQ-T01")
    void jcqT01ShouldGiveBackTheTasksInOrderAndBeEmpty() {
        List<Task> tasks = numbered(10);
        tasks.forEach(task -> Task.push(inbox, task));
        assertThat(inbox.hasNext()).isTrue();

        Task.Queues.takeAll(inbox, list);

        assertThat(inbox.hasNext()).isFalse();
        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
        assertThat(list.isEmpty()).isTrue();
        Task.Queues.takeAll(inbox, list);
        assertThat(list.isEmpty()).isTrue();
    }

    @Test
    @Rule("JCQ-T01")
    void jcqT01ShouldAppendABatchBehindWhatWasTakenBefore() {
        List<Task> tasks = numbered(9);
        for (int batch = 0; batch < 3; batch++) {
            tasks.subList(3 * batch, 3 * batch + 3).forEach(task -> Task.push(inbox, task));
            Task.Queues.takeAll(inbox, list);
        }

        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
    }

    @Test
    @Rule("JCQ-T04")
    void jcqT04ShouldGiveBackTheVeryObjectWhereverItLay() {
        List<Task> tasks = numbered(40);
        Task.push(inbox, tasks.get(0));
        Task.Queues.takeAll(inbox, list);
        assertThat(list.take()).isSameAs(tasks.get(0));
        assertThat(list.isEmpty()).isTrue();
        assertThat(inbox.isEmpty()).isTrue();

        // More than there are slots, so that some lie in the overflow.
        tasks.forEach(task -> Task.push(inbox, task));
        Task.Queues.takeAll(inbox, list);

        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
        assertThat(list.isEmpty()).isTrue();
        assertThat(inbox.isEmpty()).isTrue();
    }

    @Test
    @Rule("JCQ-T05")
    void jcqT05ShouldCountWhatWasLeftAndNotTakenWhereverItLies() {
        List<Task> tasks = numbered(20);
        for (int left = 0; left < tasks.size(); left++) {
            assertThat(inbox.claimed()).isEqualTo(left);
            Task.push(inbox, tasks.get(left));
        }

        for (int left = tasks.size(); left > 0; left--) {
            assertThat(inbox.claimed()).isEqualTo(left);
            assertThat(inbox.hasNext()).isTrue();
            assertThat(list.appendFrom(inbox, 1)).isEqualTo(1);
        }

        assertThat(inbox.claimed()).isZero();
        assertThat(inbox.isEmpty()).isTrue();
        assertThat(inbox.hasNext()).isFalse();
    }

    @Test
    @Rule("JCQ-T10")
    @Rule("JCQ-T17")
    void jcqT17ShouldKeepTheOrderHoweverOftenItIsFullAndGrows() {
        List<Task> tasks = numbered(400);
        int left = 0;
        for (int round = 1; left < tasks.size(); round++) {
            int most = Math.min(tasks.size(), left + round);
            Task[] burst = tasks.subList(left, most).toArray(new Task[0]);
            assertThat(Task.pushAll(inbox, burst, burst.length)).isTrue();
            left = most;
            // The loop lags behind, and now and then it catches up.
            list.appendFrom(inbox, round % 7 == 0 ? Integer.MAX_VALUE : round / 2);
        }
        Task.Queues.takeAll(inbox, list);

        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
        assertThat(list.isEmpty()).isTrue();
    }

    @Test
    @Rule("JCQ-T10")
    void jcqT10ShouldTakeAtOnceWhateverIsThereInSlotsFromTheirEndToTheirBeginningAndBeyond() {
        List<Task> tasks = numbered(60);
        int left = 0;
        int turn = 0;
        while (left < tasks.size()) {
            int most = Math.min(tasks.size(), left + 1 + turn % 23);
            tasks.subList(left, most).forEach(task -> Task.push(inbox, task));

            assertThat(list.appendFrom(inbox, Integer.MAX_VALUE)).as("turn %s", turn)
                    .isEqualTo(most - left);

            assertThat(inbox.hasNext()).isFalse();
            left = most;
            turn++;
        }

        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
    }

    @Test
    @Rule("JCQ-T10")
    void jcqT10ShouldTakeAtOnceMoreThanOnePieceAndWhatOverflowed() {
        Inbox<Task> large = new RingInbox<>(256, 256);
        List<Task> tasks = numbered(300);
        tasks.forEach(task -> Task.push(large, task));

        assertThat(list.appendFrom(large, 299)).isEqualTo(299);
        assertThat(list.appendFrom(large, 299)).isEqualTo(1);

        for (Task task : tasks) {
            assertThat(list.take()).isSameAs(task);
        }
        assertThat(large.claimed()).isZero();
    }

    @Test
    @Rule("JCQ-T03")
    @SuppressWarnings("NullAway") // the point of the test
    void jcqT03ShouldRefuseNullAndStayAsItWas() {
        FakeLoop loop = new FakeLoop();

        assertThatThrownBy(() -> inbox.offer(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> loop.context.post(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> loop.context.execute(null))
                .isInstanceOf(NullPointerException.class);

        assertThat(inbox.hasNext()).isFalse();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("JCQ-T06")
    @Rule("JCQ-T11")
    void jcqT06ShouldTakeTheTasksOfEachPosterInItsOrder() throws InterruptedException {
        int[] next = new int[POSTERS];
        int[] violations = new int[1];

        takeAllUnderLoad(letter ->
                violations[0] += letter.number == next[letter.poster]++ ? 0 : 1);

        assertThat(violations[0]).isZero();
        assertThat(next).containsOnly(TASKS);
    }

    @Test
    @Rule("JCQ-T07")
    void jcqT07ShouldShowTheTakerWhatThePosterWroteBefore() throws InterruptedException {
        int[] violations = new int[1];

        takeAllUnderLoad(letter ->
                violations[0] += letter.plain == letter.number + 1 ? 0 : 1);

        assertThat(violations[0]).isZero();
    }

    @Test
    @Rule("JCQ-T09")
    void jcqT09ShouldGiveATaskToWhoeverSawThatItIsNotEmpty() throws InterruptedException {
        assertThat(takeAllUnderLoad(letter -> { })).isZero();
    }

    /**
     * Has some threads post, and takes all of it; none is refused.
     *
     * @return how often a task was seen to be there, and was not
     */
    private int takeAllUnderLoad(Consumer<Letter> taker) throws InterruptedException {
        List<Thread> posters = new ArrayList<>();
        AtomicInteger refused = new AtomicInteger();
        for (int poster = 0; poster < POSTERS; poster++) {
            int number = poster;
            Thread thread = new Thread(() -> postAll(number, refused));
            thread.start();
            posters.add(thread);
        }

        int missing = 0;
        for (int taken = 0; taken < POSTERS * TASKS;) {
            Spin.until(inbox::hasNext, "a further task");
            missing += list.appendFrom(inbox, Integer.MAX_VALUE) == 0 ? 1 : 0;
            for (; !list.isEmpty(); taken++) {
                taker.accept((Letter) list.take());
            }
        }
        for (Thread poster : posters) {
            poster.join();
        }
        assertThat(refused).hasValue(0);
        assertThat(inbox.isEmpty()).isTrue();
        return missing;
    }

    @Test
    @Rule("JCQ-T15")
    void jcqT15ShouldTakeNothingIfAskedForNothing() {
        Task.push(inbox, new Letter(0, 7));

        assertThat(inbox.poll(new Object[4], 0, 0)).isZero();
        assertThat(list.appendFrom(inbox, 0)).isZero();

        assertThat(inbox.claimed()).isEqualTo(1);
        assertThat(list.appendFrom(inbox, 1)).isEqualTo(1);
        assertThat(((Letter) list.take()).number).isEqualTo(7);
    }

    @Test
    @Rule("JCQ-T15")
    void jcqT15ShouldRefuseSizesThatAreNoPowersOfTwo() {
        for (int[] sizes : new int[][] {{1, 4}, {3, 4}, {4, 6}, {4, 2}, {0, 4}}) {
            assertThatThrownBy(() -> new RingInbox<Task>(sizes[0], sizes[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(sizes[0] + " to " + sizes[1]);
        }
    }

    @Test
    @Rule("JCQ-T11")
    void jcqT11ShouldRefuseOnlyOnceSealedAndKeepWhatCameBefore() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(POSTERS);
        CountDownLatch sealed = new CountDownLatch(1);
        AtomicInteger accepted = new AtomicInteger();
        List<Thread> posters = new ArrayList<>();
        for (int poster = 0; poster < POSTERS; poster++) {
            Thread thread = new Thread(() -> {
                started.countDown();
                while (Task.push(inbox, new Letter(0, 0))) {
                    if (accepted.incrementAndGet() >= ENOUGH) {
                        await(sealed);
                    }
                }
            });
            thread.start();
            posters.add(thread);
        }
        started.await();
        Spin.until(() -> accepted.get() >= 1_000, "a thousand tasks are accepted");

        inbox.seal();
        sealed.countDown();
        Task.Queues.takeAll(inbox, list);
        for (Thread poster : posters) {
            poster.join();
        }

        int kept = 0;
        for (; !list.isEmpty(); kept++) {
            assertThat(list.take()).isInstanceOf(Letter.class);
        }
        assertThat(kept).isEqualTo(accepted.get());
        assertThat(Task.push(inbox, new Letter(0, 0))).isFalse();
    }

    private void postAll(int poster, AtomicInteger refused) {
        for (int number = 0; number < TASKS; number++) {
            Letter letter = new Letter(poster, number);
            letter.plain = number + 1;
            if (!Task.push(inbox, letter)) {
                refused.incrementAndGet();
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static List<Task> numbered(int count) {
        List<Task> tasks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tasks.add(new Letter(0, i));
        }
        return tasks;
    }

    private static final class Letter extends Task {
        final int poster;
        final int number;

        /** Written before the push, without any order of its own. */
        int plain;

        Letter(int poster, int number) {
            this.poster = poster;
            this.number = number;
        }

        @Override
        protected void run() {
            throw new AssertionError("is only taken");
        }
    }
}
