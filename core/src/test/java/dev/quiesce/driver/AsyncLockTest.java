package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
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
    void shouldBeFreeAgainWhenNobodyWaits() {
        lock.acquireOr(one, logs("a"));
        lock.release();

        assertThat(lock.acquireOr(one, logs("b"))).isTrue();
        lock.release();
        assertThatThrownBy(lock::release).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("lock");
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
        };
    }
}
