package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.queue.RingInbox;
import dev.quiesce.rules.Rule;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/**
 * Inbox and event as they are, under small programs that Lincheck makes up, switched at every
 * access to shared memory: each operation takes effect at one instant. The step models know the
 * order of steps that we wrote down for them; this needs no such list.
 */
class LinearizabilityTest {
    private static final String HOME = "home";
    private static final String POSTER = "poster";

    @Test
    @Rule("JCQ-T11")
    void shouldMakePushTakeAndSealOfTheInboxAtomic() {
        check(InboxOperations.class, InboxSpecification.class);
    }

    /** A turn takes what is there: all of what a poster has left who has returned. */
    @Test
    @Rule("JCQ-T11")
    void shouldMakePushAndTheTakeOfATurnAtomic() {
        check(TurnOperations.class, InboxSpecification.class);
    }

    /** A poster may find it sealed and then open again. */
    @Test
    @Rule("AIO-75")
    void shouldMakeSealingAnEmptyInboxAndOpeningItAtomic() {
        new ModelCheckingOptions()
                .iterations(100).invocationsPerIteration(300)
                .threads(2).actorsPerThread(1).actorsBefore(1).actorsAfter(2)
                .sequentialSpecification(DoorSpecification.class)
                .check(DoorOperations.class);
    }

    @Test
    void shouldMakeSetAndClearOfAnEventAtomic() {
        check(EventOperations.class, EventSpecification.class);
    }

    @Test
    void shouldRefuteAnEventThatIsClearedInTwoSteps() {
        assertThatThrownBy(() -> check(TornEventOperations.class, EventSpecification.class))
                .isInstanceOf(LincheckAssertionError.class);
    }

    private static void check(Class<?> operations, Class<?> specification) {
        new ModelCheckingOptions()
                .iterations(6).invocationsPerIteration(100)
                .threads(2).actorsPerThread(3).actorsBefore(1).actorsAfter(2)
                .sequentialSpecification(specification)
                .check(operations);
    }

    /** The inbox of a loop, of which the second item finds no slot: anybody pushes, home takes. */
    public static final class InboxOperations {
        private final Inbox<Task> inbox = new RingInbox<>(2, 4);

        @Operation
        public boolean push() {
            return Task.push(inbox, new Letter());
        }

        @Operation
        public boolean pushTwo() {
            return Task.pushAll(inbox, new Task[] {new Letter(), new Letter()}, 2);
        }

        @Operation(nonParallelGroup = HOME)
        public int take() {
            Task.Fifo list = new Task.Fifo();
            Task.Queues.takeAll(inbox, list);
            return count(list);
        }

        /** In pieces, as long as one is there; then what is claimed. */
        @Operation(nonParallelGroup = HOME)
        public int takeOneByOne() {
            Task.Fifo list = new Task.Fifo();
            int piece;
            do {
                piece = list.appendFrom(inbox, 1);
            } while (piece > 0);
            Task.Queues.takeAll(inbox, list);
            return count(list);
        }

        @Operation(nonParallelGroup = HOME)
        public boolean isEmpty() {
            return inbox.isEmpty();
        }

        @Operation(nonParallelGroup = HOME)
        public boolean sealIfEmpty() {
            return inbox.sealIfEmpty();
        }

        @Operation(nonParallelGroup = HOME)
        public int seal() {
            inbox.seal();
            return take();
        }
    }

    /**
     * The same in the queues of a loop, with one poster: with more of them, one that has claimed a
     * place and has not stored its item yet would hide what others have left behind it.
     */
    public static final class TurnOperations {
        private final Inbox<Task> inbox = new RingInbox<>(2, 4);
        private final Task.Queues queues = new Task.Queues(inbox);

        /** How many items were left by the pushes that have returned. */
        private final AtomicInteger left = new AtomicInteger();
        private int taken;

        @Operation(nonParallelGroup = POSTER)
        public boolean push() {
            return leave(Task.push(inbox, new Letter()), 1);
        }

        @Operation(nonParallelGroup = POSTER)
        public boolean pushTwo() {
            return leave(Task.pushAll(inbox, new Task[] {new Letter(), new Letter()}, 2), 2);
        }

        private boolean leave(boolean pushed, int count) {
            left.addAndGet(pushed ? count : 0);
            return pushed;
        }

        /** What a turn takes, and then what is only claimed; less than nothing if that was late. */
        @Operation(nonParallelGroup = HOME)
        public int take() {
            int there = left.get() - taken;
            boolean late = queues.takeInbox() < there;
            queues.takeWholeInbox();
            int count = count(queues.ready());
            taken += count;
            return late ? -1 : count;
        }

        @Operation(nonParallelGroup = HOME)
        public boolean isEmpty() {
            return inbox.isEmpty();
        }

        @Operation(nonParallelGroup = HOME)
        public boolean sealIfEmpty() {
            return inbox.sealIfEmpty();
        }
    }

    /** Takes all that is in a list. */
    private static int count(Task.Fifo list) {
        int count = 0;
        while (!list.isEmpty()) {
            list.take();
            count++;
        }
        return count;
    }

    /** What it amounts to. */
    public static final class InboxSpecification {
        private int count;
        private boolean sealed;

        public boolean push() {
            count += sealed ? 0 : 1;
            return !sealed;
        }

        public boolean pushTwo() {
            count += sealed ? 0 : 2;
            return !sealed;
        }

        public boolean isEmpty() {
            return count == 0;
        }

        public boolean sealIfEmpty() {
            boolean seals = count == 0 && !sealed;
            sealed |= seals;
            return seals;
        }

        public int take() {
            int taken = count;
            count = 0;
            return taken;
        }

        public int takeOneByOne() {
            return take();
        }

        public int seal() {
            sealed = true;
            return take();
        }
    }

    /** The inbox of a loop that is about to be closed, and is not if something is in it. */
    public static final class DoorOperations {
        private final Inbox<Task> inbox = new RingInbox<>(2, 4);
        private boolean sealed;

        @Operation
        public boolean push() {
            return Task.push(inbox, new Letter());
        }

        @Operation(nonParallelGroup = HOME)
        public boolean sealIfEmpty() {
            boolean seals = inbox.sealIfEmpty();
            sealed |= seals;
            return seals;
        }

        /** Opens what was sealed. */
        @Operation(nonParallelGroup = HOME)
        public boolean unseal() {
            boolean unseals = sealed;
            sealed = false;
            if (unseals) {
                inbox.unseal();
            }
            return unseals;
        }
    }

    /** The same, one operation at a time. */
    public static final class DoorSpecification {
        private int count;
        private boolean sealed;

        public boolean push() {
            count += sealed ? 0 : 1;
            return !sealed;
        }

        public boolean sealIfEmpty() {
            boolean seals = count == 0 && !sealed;
            sealed |= seals;
            return seals;
        }

        public boolean unseal() {
            boolean unseals = sealed;
            sealed = false;
            return unseals;
        }
    }

    /** An event that is attached to nothing. */
    public static final class EventOperations {
        private final EventNotifier event = new EventNotifier("event");

        @Operation
        public void set() {
            event.set();
        }

        @Operation
        public boolean clear() {
            return event.testAndClear();
        }
    }

    /** A twin that two threads can clear at once. */
    public static final class TornEventOperations {
        private volatile boolean set;

        @Operation
        public void set() {
            set = true;
        }

        @Operation
        public boolean clear() {
            boolean was = set;
            set = false;
            return was;
        }
    }

    /** What it amounts to. */
    public static final class EventSpecification {
        private boolean set;

        public void set() {
            set = true;
        }

        public boolean clear() {
            boolean was = set;
            set = false;
            return was;
        }
    }

    private static final class Letter extends Task {
        @Override
        protected void run() {
            throw new AssertionError("is only taken");
        }
    }
}
