package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class AsyncLockTest {
    private final List<String> log = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();
    private final AioContext one = context("one");
    private final AioContext two = context("two");
    private final AsyncLock lock = new AsyncLock("lock");

    @Test
    @Rule("REQ-22")
    void shouldResumeWaitersInTheirContextsFirstComeFirstServed() {
        assertThat(lock.acquireOr(one, logs("never"))).isTrue();
        assertThat(lock.acquireOr(two, logs("first"))).isFalse();
        assertThat(lock.acquireOr(one, logs("second"))).isFalse();
        one.poll(0);
        two.poll(0);
        assertThat(log).isEmpty();

        lock.release();
        one.poll(0);
        assertThat(log).isEmpty();
        two.poll(0);
        assertThat(log).containsExactly("first");
        lock.release();
        one.poll(0);

        assertThat(log).containsExactly("first", "second");
    }

    @Test
    void shouldNotLetANewcomerOvertakeAWaiter() {
        lock.acquireOr(one, logs("holder"));
        lock.acquireOr(one, logs("waiter"));
        lock.release();

        assertThat(lock.acquireOr(one, logs("newcomer"))).isFalse();
        one.poll(0);

        assertThat(log).containsExactly("waiter");
    }

    @Test
    void shouldPassOverAWaiterWhoseContextIsGone() {
        lock.acquireOr(one, logs("holder"));
        lock.acquireOr(two, logs("dead waiter"));
        lock.acquireOr(one, logs("live waiter"));
        two.close();

        lock.release();
        one.poll(0);

        assertThat(errors).containsExactly("dead waiter in two");
        assertThat(log).containsExactly("live waiter");
    }

    @Test
    @Rule("SPT-T14")
    void sptT14ShouldBeFreeAgainWhenNobodyWaits() {
        lock.acquireOr(one, logs("a"));
        lock.release();

        assertThat(lock.acquireOr(one, logs("b"))).isTrue();
        lock.release();
        assertThatThrownBy(lock::release).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("lock");
        assertThat(lock.acquireOr(one, logs("c"))).isTrue();
    }

    @Test
    @Rule("SPT-T14")
    void sptT14ShouldQueueAHolderBehindItselfAndBlockNobody() {
        AsyncLock.Waiter again = logs("again");
        assertThat(lock.acquireOr(one, again)).isTrue();
        assertThat(lock.acquireOr(one, again)).isFalse();
        one.execute(() -> log.add("the loop goes on"));
        one.poll(0);

        lock.release();
        one.poll(0);

        assertThat(log).containsExactly("the loop goes on", "again");
        lock.release();
        assertThat(lock.acquireOr(one, again)).isTrue();
    }

    @Test
    @Rule("SPT-T14")
    void sptT14ShouldRefuseAWaiterThatWaitsAlreadyAndLeaveItWhereItWas() {
        AsyncLock other = new AsyncLock("other");
        AsyncLock.Waiter waiter = logs("waiter");
        lock.acquireOr(one, logs("holder"));
        other.acquireOr(two, logs("holder of the other"));
        lock.acquireOr(one, waiter);

        assertThatThrownBy(() -> lock.acquireOr(two, waiter))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("waiter");
        assertThatThrownBy(() -> other.acquireOr(two, waiter))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("waiter");

        lock.release();
        two.poll(0);
        assertThat(log).as("it waits in the first context").isEmpty();
        one.poll(0);
        assertThat(log).containsExactly("waiter");
        lock.release();
        other.release();
        assertThat(lock.acquireOr(one, waiter)).isTrue();
        assertThat(other.acquireOr(one, waiter)).isTrue();
    }

    @Test
    @Rule("SPT-T14")
    @SuppressWarnings("NullAway") // the point of the test
    void sptT14ShouldRefuseWhoCouldNotBeResumed() {
        assertThatThrownBy(() -> lock.acquireOr(null, logs("nowhere")))
                .isInstanceOf(NullPointerException.class).hasMessage("home");
        assertThatThrownBy(() -> lock.acquireOr(one, null))
                .isInstanceOf(NullPointerException.class).hasMessage("resume");

        assertThat(lock.acquireOr(one, logs("a"))).as("nobody has it").isTrue();
    }

    @Test
    @Rule("SPT-T14")
    void sptT14ShouldBeKeptWhileItsHolderSleepsAndBeGivenBackByAnyThread() {
        assertThat(lock.acquireOr(one, logs("holder"))).isTrue();
        one.poll(1);
        assertThat(lock.acquireOr(two, logs("waiter"))).isFalse();

        CompletableFuture.runAsync(lock::release, run -> new Thread(run, "other").start()).join();
        two.poll(0);

        assertThat(log).containsExactly("waiter");
    }

    @Test
    void shouldNotAllocateWhenItIsPassedOn() {
        int[] runs = new int[1];
        AsyncLock.Waiter waiter = new AsyncLock.Waiter() {
            @Override
            protected void run() {
                runs[0]++;
            }
        };

        Allocation.assertNone(() -> {
            lock.acquireOr(one, waiter);
            lock.acquireOr(one, waiter);
            lock.release();
            one.poll(0);
            lock.release();
        });

        assertThat(runs[0]).isPositive();
    }

    private AioContext context(String name) {
        AioContext context = new AioContext(name, LoopSeams.system().withErrors(
                (where, site, cause) -> errors.add(site + " in " + where.name())));
        context.acquire();
        return context;
    }

    private AsyncLock.Waiter logs(String name) {
        return new AsyncLock.Waiter() {
            @Override
            protected void run() {
                log.add(name);
            }

            @Override
            public String describe() {
                return name;
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }
}
