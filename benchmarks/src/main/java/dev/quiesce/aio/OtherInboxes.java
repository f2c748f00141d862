package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jctools.queues.MpscUnboundedArrayQueue;

/** IoThreads whose context has another inbox. */
public final class OtherInboxes {
    private OtherInboxes() {
    }

    /** Starts one with a queue of JCTools. */
    public static IoThread startWithJctools(IoThreadConfig config) {
        return IoThread.start(config, new Jctools());
    }

    /** Starts one with a stack of linked tasks. */
    public static IoThread startWithLinks(IoThreadConfig config) {
        return IoThread.start(config, new Links());
    }

    /** A task with a link. */
    public abstract static class Linked extends Task {
        private Linked next;
    }

    /**
     * The queue of JCTools. It cannot be sealed in one step with the look at whether it is empty:
     * an item that is offered meanwhile may stay behind, which only the end of a loop can show.
     */
    private static final class Jctools extends Inbox<Task> {
        private final MpscUnboundedArrayQueue<Task> queue = new MpscUnboundedArrayQueue<>(1024);
        private volatile boolean sealed;

        @Override
        public boolean offer(Task item) {
            return !sealed && queue.offer(item);
        }

        @Override
        public boolean offerAll(Task[] items, int count) {
            if (sealed) {
                return false;
            }
            for (int i = 0; i < count; i++) {
                queue.offer(items[i]);
            }
            return true;
        }

        @Override
        public int poll(Object[] into, int from, int max) {
            int count = 0;
            while (count < max) {
                Task item = queue.relaxedPoll();
                if (item == null) {
                    break;
                }
                into[from + count++] = item;
            }
            return count;
        }

        @Override
        public boolean hasNext() {
            return queue.relaxedPeek() != null;
        }

        @Override
        public long claimed() {
            return queue.size();
        }

        @Override
        public boolean isEmpty() {
            return queue.isEmpty();
        }

        @Override
        public boolean sealIfEmpty() {
            boolean seals = !sealed && queue.isEmpty();
            sealed |= seals;
            return seals;
        }

        @Override
        public void unseal() {
            sealed = false;
        }

        @Override
        public void seal() {
            sealed = true;
        }
    }

    /** Keeps what comes before the head away. */
    private abstract static class LeadingPad extends Inbox<Task> {
        long pad00, pad01, pad02, pad03, pad04, pad05, pad06, pad07;
        long pad08, pad09, pad10, pad11, pad12, pad13, pad14;
    }

    private abstract static class Head extends LeadingPad {
        Linked head;
    }

    private abstract static class TrailingPad extends Head {
        long pad20, pad21, pad22, pad23, pad24, pad25, pad26, pad27;
        long pad28, pad29, pad30, pad31, pad32, pad33, pad34;
    }

    /** A stack of linked tasks, pushed by compare and set and taken whole. */
    private static final class Links extends TrailingPad {
        private static final Linked SEALED = new Carrier(null);
        private static final VarHandle HEAD;

        static {
            try {
                HEAD = MethodHandles.lookup().findVarHandle(Head.class, "head", Linked.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** What was taken from the stack, the oldest first. */
        private Linked oldest;
        private Linked newest;

        @Override
        public boolean offer(Task item) {
            Linked one = linked(item);
            return push(one, one);
        }

        @Override
        public boolean offerAll(Task[] items, int count) {
            Linked first = linked(items[0]);
            Linked last = first;
            for (int i = 1; i < count; i++) {
                Linked one = linked(items[i]);
                one.next = last;
                last = one;
            }
            return push(last, first);
        }

        private static Linked linked(Task item) {
            return item instanceof Linked one ? one : new Carrier(item);
        }

        private boolean push(Linked last, Linked first) {
            while (true) {
                Linked top = top();
                if (top == SEALED) {
                    return false;
                }
                first.next = top;
                if (HEAD.compareAndSet(this, top, last)) {
                    return true;
                }
            }
        }

        @Override
        public int poll(Object[] into, int from, int max) {
            int count = 0;
            while (count < max && hasFetched()) {
                Linked one = oldest;
                oldest = one.next;
                one.next = null;
                into[from + count++] = one instanceof Carrier carrier ? carrier.item : one;
            }
            return count;
        }

        /** Whether there is one to take, perhaps of those that have just been fetched. */
        private boolean hasFetched() {
            if (oldest == null) {
                fetch(null);
            }
            return oldest != null;
        }

        private void fetch(Linked left) {
            Linked top = top();
            if (left == null && (top == null || top == SEALED)) {
                return;
            }
            top = (Linked) HEAD.getAndSet(this, left);
            Linked chain = null;
            Linked end = top;
            while (top != null && top != SEALED) {
                Linked older = top.next;
                top.next = chain;
                chain = top;
                top = older;
            }
            if (chain == null) {
                return;
            }
            if (oldest == null) {
                oldest = chain;
            } else {
                newest.next = chain;
            }
            newest = end;
        }

        @Override
        public boolean hasNext() {
            Linked top = top();
            return oldest != null || (top != null && top != SEALED);
        }

        @Override
        public long claimed() {
            long count = 0;
            for (Linked one = top(); one != null && one != SEALED; one = one.next) {
                count++;
            }
            for (Linked one = oldest; one != null; one = one.next) {
                count++;
            }
            return count;
        }

        @Override
        public boolean isEmpty() {
            return !hasNext();
        }

        @Override
        public boolean sealIfEmpty() {
            return oldest == null && HEAD.compareAndSet(this, null, SEALED);
        }

        @Override
        public void unseal() {
            HEAD.compareAndSet(this, SEALED, null);
        }

        @Override
        public void seal() {
            fetch(SEALED);
        }

        private Linked top() {
            return (Linked) HEAD.getVolatile(this);
        }
    }

    /** Carries a task that has no link. */
    private static final class Carrier extends Linked {
        private final Task item;

        Carrier(Task item) {
            this.item = item;
        }

        @Override
        protected void run() {
            throw new AssertionError("is unpacked before it runs");
        }
    }
}
