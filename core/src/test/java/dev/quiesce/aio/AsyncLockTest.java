package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class AsyncLockTest {
    @Test
    void shouldResumeWaitersInTheirContextsFirstComeFirstServed() {
        FakeLoop one = new FakeLoop("one");
        FakeLoop two = new FakeLoop("two");
        AsyncLock lock = new AsyncLock("lock");
        assertThat(lock.acquireOr(one.context, one.logs("never"))).isTrue();
        assertThat(lock.acquireOr(two.context, two.logs("first"))).isFalse();
        assertThat(lock.acquireOr(one.context, one.logs("second"))).isFalse();
        one.poll();
        two.poll();
        assertThat(two.log).isEmpty();

        lock.release();
        one.poll();
        two.poll();
        assertThat(two.log).containsExactly("first");
        assertThat(one.log).isEmpty();
        lock.release();
        one.poll();

        assertThat(one.log).containsExactly("second");
    }

    @Test
    void shouldNotLetANewcomerOvertakeAWaiter() {
        FakeLoop loop = new FakeLoop();
        AsyncLock lock = new AsyncLock("lock");
        lock.acquireOr(loop.context, loop.logs("holder"));
        lock.acquireOr(loop.context, loop.logs("waiter"));
        lock.release();

        assertThat(lock.acquireOr(loop.context, loop.logs("newcomer"))).isFalse();
        loop.poll();

        assertThat(loop.log).containsExactly("waiter");
    }

    @Test
    void shouldPassOverAWaiterWhoseContextIsGone() {
        FakeLoop loop = new FakeLoop();
        FakeLoop dead = new FakeLoop("dead");
        AsyncLock lock = new AsyncLock("lock");
        lock.acquireOr(loop.context, loop.logs("holder"));
        lock.acquireOr(dead.context, dead.logs("dead waiter"));
        lock.acquireOr(loop.context, loop.logs("live waiter"));
        dead.context.close();

        lock.release();
        loop.poll();

        assertThat(dead.errorSites).containsExactly("dead waiter");
        assertThat(loop.log).containsExactly("live waiter");
    }

    @Test
    @Rule("SPT-T14")
    void shouldBeFreeAgainWhenNobodyWaits() {
        FakeLoop loop = new FakeLoop();
        AsyncLock lock = new AsyncLock("lock");
        lock.acquireOr(loop.context, loop.logs("a"));
        lock.release();

        assertThat(lock.acquireOr(loop.context, loop.logs("b"))).isTrue();
        lock.release();
        assertThatThrownBy(lock::release).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("lock");
    }
}
