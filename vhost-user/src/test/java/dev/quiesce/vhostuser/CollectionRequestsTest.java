package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.vhostuser.Unmapping.CollectionRequests;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Front ends change their memory as often as they like; the process does not stop as often. */
class CollectionRequestsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - SECOND / 2);
    private final Deque<Runnable> timed = new ArrayDeque<>();
    private final Deque<Long> delays = new ArrayDeque<>();
    private long collectionNanos = 10 * MILLI;
    private int collections;
    private Runnable meanwhile = () -> { };
    private final CollectionRequests requests =
            new CollectionRequests(now::get, this::collect, this::later);

    private void collect() {
        collections++;
        now.addAndGet(collectionNanos);
        meanwhile.run();
    }

    private synchronized void later(Runnable task, long delayNanos) {
        timed.add(task);
        delays.add(delayNanos);
    }

    @Test
    void shouldCollectAtOnceAfterAQuietSecond() {
        requests.request(1);
        now.addAndGet(SECOND);
        requests.request(1);

        assertThat(collections).isEqualTo(2);
        assertThat(timed).isEmpty();
    }

    @Test
    void shouldNotCollectWhenNothingWasMapped() {
        requests.request(0);

        assertThat(collections).isZero();
    }

    @Test
    void shouldCollectOnceForWhateverIsReleasedWithinASecond() {
        requests.request(1);
        now.addAndGet(SECOND / 4);
        for (int i = 0; i < 500; i++) {
            requests.request(1);
        }
        assertThat(collections).isOne();
        assertThat(delays).containsExactly(SECOND * 3 / 4);

        now.addAndGet(SECOND * 3 / 4);
        timed.remove().run();

        assertThat(collections).isEqualTo(2);
        assertThat(timed).isEmpty();
    }

    /** One that takes 200 ms each second would cost every disk a fifth of its time. */
    @Test
    void shouldLeaveLongerBreaksWhenCollectionsTakeLong() {
        collectionNanos = 200 * MILLI;
        requests.request(1);

        requests.request(1);

        assertThat(delays).containsExactly(3200 * MILLI);
    }

    /** It may have been looked at while somebody still referred to it. */
    @Test
    void shouldCollectAgainForWhatIsReleasedDuringACollection() {
        meanwhile = () -> {
            meanwhile = () -> { };
            requests.request(1);
        };
        requests.request(1);
        assertThat(collections).isOne();

        timed.remove().run();

        assertThat(collections).isEqualTo(2);
        assertThat(timed).isEmpty();
    }

    @Test
    void shouldLetNobodyReleaseMoreThanAProcessCanBear() throws Exception {
        requests.request(1);
        requests.request(CollectionRequests.WAITING_MAX);
        CompletableFuture<Void> tooMuch = CompletableFuture.runAsync(() -> requests.request(1));
        Host.until(() -> {
            assertThat(tooMuch).isNotDone();
            return isWaiting();
        }, () -> "nobody waits");

        timed.remove().run();

        Host.await(tooMuch);
        assertThat(collections).isEqualTo(2);
    }

    private static boolean isWaiting() {
        return Thread.getAllStackTraces().entrySet().stream().anyMatch(
                each -> each.getKey().getState() == Thread.State.WAITING
                        && Arrays.stream(each.getValue()).anyMatch(
                                at -> at.getMethodName().equals("awaitRoom")));
    }
}
