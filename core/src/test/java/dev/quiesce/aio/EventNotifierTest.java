package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class EventNotifierTest {
    @Test
    void shouldRememberASetUntilItIsCleared() {
        EventNotifier notifier = new EventNotifier("n");
        assertThat(notifier.testAndClear()).isFalse();

        notifier.set();
        notifier.set();

        assertThat(notifier.isSet()).isTrue();
        assertThat(notifier.testAndClear()).isTrue();
        assertThat(notifier.testAndClear()).isFalse();
    }

    @Test
    void shouldRunTheHandlerOnceForAllSetsBeforeIt() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("set? " + notifier.isSet()));
        notifier.set();
        notifier.set();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).containsExactly("set? false");
        assertThat(notifier.attachedTo()).isSameAs(loop.context);
    }

    /** Handlers of channels come behind all tasks; this one is a task. */
    @Test
    @Rule("AIO-43")
    void shouldRunTheHandlerAmongTheTasksInTheOrderOfSets() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("event"));
        loop.context.defer(loop.logs("before"));
        notifier.set();
        loop.context.defer(loop.logs("behind"));

        loop.poll();

        assertThat(loop.log).containsExactly("before", "event", "behind");
    }

    @Test
    void shouldRunTheHandlerAgainForASetFromWithinIt() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> {
            loop.log.add("run");
            if (loop.log.size() == 1) {
                notifier.set();
            }
        });
        notifier.set();

        loop.poll();
        assertThat(loop.log).hasSize(1);
        loop.poll();
        loop.poll();

        assertThat(loop.log).hasSize(2);
    }

    @Test
    @Rule("AIO-24")
    void shouldServeASetFromBeforeTheAttach() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.set();

        notifier.attach(loop.context, () -> loop.log.add("run"));
        loop.poll();

        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-24")
    void shouldNotStartTheHandlerAfterTheDetachAndKeepTheEvent() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("old"));
        notifier.set();

        notifier.detach();
        notifier.detach();

        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).isEmpty();
        assertThat(notifier.isSet()).isTrue();
        assertThat(notifier.attachedTo()).isNull();
    }

    @Test
    @Rule("BUG-87")
    void shouldServeTheNewAttachmentOnceAndTheOldOneNever() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("old"));
        notifier.set();
        notifier.detach();

        notifier.attach(other.context, () -> other.log.add("new"));
        loop.poll();
        other.poll();
        other.poll();

        assertThat(loop.log).isEmpty();
        assertThat(other.log).containsExactly("new");
    }

    @Test
    void shouldNotRunTheHandlerWhenSomebodyElseTookTheEvent() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("run"));
        notifier.set();

        assertThat(notifier.testAndClear()).isTrue();

        assertThat(loop.poll()).isFalse();
        notifier.set();
        assertThat(loop.poll()).isTrue();
        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-21")
    @Rule("BUG-87")
    void shouldHaveOneAttachmentAtMost() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("kick 3");
        notifier.attach(loop.context, () -> { });

        assertThatThrownBy(() -> notifier.attach(loop.context, () -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("kick 3").hasMessageContaining("main");
    }

    @Test
    void shouldAttachAndDetachInTheHomeContextOnly() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        loop.close();
        assertThatThrownBy(() -> notifier.attach(loop.context, () -> { }))
                .isInstanceOf(IllegalStateException.class);

        Lease lease = loop.context.acquire();
        notifier.attach(loop.context, () -> { });
        lease.close();

        assertThatThrownBy(notifier::detach).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("main");
    }

    @Test
    @Rule("AIO-24")
    void shouldNotEndTheAttachmentThatHasFollowedOneToALoopThatIsGone() {
        FakeLoop gone = new FakeLoop("gone");
        FakeLoop next = new FakeLoop("next");
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(gone.context, () -> { });
        EventNotifier.Attachment old = notifier.attachedVolatile();
        gone.context.end("the end");

        notifier.detach();
        notifier.attach(next.context, () -> next.log.add("run"));
        // Of a second thread that began to detach before.
        notifier.withdraw(old);

        assertThat(notifier.attachedTo()).isSameAs(next.context);
        notifier.set();
        next.poll();
        assertThat(next.log).containsExactly("run");
    }


    @Test
    void shouldNeverThrowIntoWhoeverSetsIt() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("run"));
        loop.context.close();

        notifier.set();
        loop.close();
        notifier.testAndClear();
        notifier.set();
        notifier.detach();

        assertThat(notifier.isSet()).isTrue();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-83")
    void shouldRunTheHandlerInANestedPollOnce() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("run"));
        loop.context.defer(FakeLoop.task("nesting", () -> {
            notifier.set();
            loop.poll();
            loop.log.add("over");
        }));

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("run", "over");
    }

    @Test
    @Rule("AIO-83")
    void shouldServeASetFromWithinAHandlerThatPolls() {
        FakeLoop loop = new FakeLoop();
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> {
            loop.log.add("run");
            if (loop.log.size() == 1) {
                loop.poll();
                notifier.set();
                loop.poll();
                loop.log.add("first run over");
            }
        });
        notifier.set();

        loop.poll();

        assertThat(loop.log).containsExactly("run", "run", "first run over");
        assertThat(loop.poll()).isFalse();
    }

    @Test
    @Rule("AIO-35")
    void shouldLoseNoSetOfAnotherThreadAcrossReattachments() throws Exception {
        int rounds = 20_000;
        int[] written = new int[1];
        int[] seen = new int[1];
        AioContext context = new AioContext("main", LoopSeams.system());
        EventNotifier notifier = new EventNotifier("n");
        Thread setter = new Thread(() -> {
            for (int i = 1; i <= rounds; i++) {
                written[0] = i;
                notifier.set();
            }
        });
        setter.setDaemon(true);
        try (Lease lease = context.acquire()) {
            setter.start();
            while (setter.isAlive()) {
                notifier.attach(context, () -> seen[0] = written[0]);
                context.poll(1000);
                notifier.detach();
            }
            notifier.attach(context, () -> seen[0] = written[0]);
            context.poll(0);
            notifier.detach();
        }

        assertThat(seen[0]).isEqualTo(rounds);
    }
}
