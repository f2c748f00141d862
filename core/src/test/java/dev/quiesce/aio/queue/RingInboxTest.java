package dev.quiesce.aio.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

/** What happens between two steps of a poster; LinearizabilityTest looks at whole offers. */
class RingInboxTest {
    private final RingInbox<String> inbox = new RingInbox<>(2, 4);
    private final Object[] taken = new Object[8];

    @Test
    @Rule("JCQ-T17")
    void shouldMakeAClaimFailThatWasBegunWithTheArrayThatHasBeenReplaced() {
        long at = inbox.tail;
        Object[] smaller = inbox.slots;
        inbox.offerAll(new String[] {"a", "b"}, 2);
        assertThat(inbox.poll(taken, 0, 8)).isEqualTo(2);
        assertThat(inbox.slots).isNotSameAs(smaller);
        assertThat(inbox.isEmpty()).isTrue();

        assertThat(inbox.claimAndStore(at, smaller, "lost")).isFalse();

        assertThat(inbox.claimAndStore(inbox.tail, inbox.slots, "c")).isTrue();
        assertThat(inbox.poll(taken, 0, 8)).isEqualTo(1);
        assertThat(taken).startsWith("c", "b");
    }

    @Test
    @Rule("JCQ-T17")
    void shouldMakeAClaimFailThatWasBegunBeforeItWasFrozenOrSealed() {
        long at = inbox.tail;
        inbox.offerAll(new String[] {"a", "b"}, 2);

        assertThat(inbox.claimAndStore(at, inbox.slots, "c")).as("frozen").isFalse();

        assertThat(inbox.poll(taken, 0, 8)).isEqualTo(2);
        at = inbox.tail;
        assertThat(inbox.sealIfEmpty()).isTrue();
        assertThat(inbox.claimAndStore(at, inbox.slots, "c")).as("sealed").isFalse();
        assertThat(inbox.offer("c")).isFalse();
        assertThat(inbox.offerAll(new String[] {"c", "d", "e", "f", "g"}, 5)).isFalse();
    }
}
