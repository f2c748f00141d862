package dev.quiesce.virtio.dataplane;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.source.PollHook;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.QueueFault;
import dev.quiesce.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * Serves one ring in one context: on a kick it pops every available chain and gives it to its
 * client; what the client pushes is published once per slice of the loop, with one interrupt (I1).
 *
 * <p>Confined to its home context, which it has while it is attached and, after a detach, until it
 * is idle. The {@link Dataplane} moves it; a device uses {@link #push}, {@link #home} and {@link
 * #device}.
 *
 * <p>Guest mistakes break the device and end the service (I7): a ring fault, a memory that fails.
 */
public final class QueuePump {
    /*
     * One batch: suppress notifications, pop at most BATCH chains, allow notifications, look again
     * (VQ-27). A batch that used its budget continues as a task of its own in the next slice, so
     * that a guest which posts without end cannot keep other work of the loop waiting;
     * notifications stay suppressed meanwhile.
     *
     * A loop that polls asks the ring itself (DP-32). The driver is told not to kick for as long as
     * that lasts, batches in between included; what it adds while kicks are asked for again is seen
     * by the look that the loop takes after each end of polling (SBUG-46). Whoever stops serving
     * the ring leaves polling first, so the next one finds kicks asked for (DP-31). Where the
     * guest's stores are not ordered only a kick says how far to read, so there nobody polls.
     *
     * Publishing is a deferred call of the loop: used elements written by all callbacks of a slice
     * become visible with one release store, one fence, one event test (VQ-20, VQ-23). The idle
     * check is a settle call, hence after the publish: "idle" means that nothing of this ring is
     * unpublished.
     *
     * Memory that a peer truncates may throw an InternalError out of any touch, on some JVMs later
     * than that. What reaches an edge of this class, where the loop or a client has called in, is
     * ours: it breaks the device, and the loop goes on (I7). So that it surfaces here and not in
     * the task of somebody else, the chain's memory is asked before a handler returns.
     *
     * Fields are plain. They change hands by posted tasks (attach: control to home; idle: home to
     * control to the next home), each of which is a happens-before edge.
     */
    private static final int BATCH = 64;

    private final VirtioDevice device;
    private final int index;
    private final QueueClient client;
    private final EventNotifier kick;
    private final DeferredCall publish = new Publish();
    private final DeferredCall idleCheck = new IdleCheck();
    private final Task nextBatch = new NextBatch();

    private @Nullable AioContext home;
    private @Nullable Virtqueue ring;
    private boolean attached;
    private boolean batchPosted;

    /** Whether the loop asks the ring, so that the driver need not kick. */
    private boolean polled;
    private Chain spare = new Chain();
    private @Nullable Runnable whenIdle;

    /**
     * Makes a pump without a ring.
     *
     * @param device the device it belongs to
     * @param index the queue's index
     * @param client takes the chains
     */
    public QueuePump(VirtioDevice device, int index, QueueClient client) {
        this.device = device;
        this.index = index;
        this.client = client;
        kick = device.kick(index);
    }

    /**
     * The queue's index. Any thread.
     *
     * @return 0 based, counting all queues of the device
     */
    public int index() {
        return index;
    }

    /**
     * The context that serves the ring. Home context, or control while nothing serves it.
     *
     * @return the context
     * @throws IllegalStateException if the pump was never attached
     */
    public AioContext home() {
        AioContext context = home;
        if (context == null) {
            throw new IllegalStateException(describe() + " was never attached");
        }
        return context;
    }

    /**
     * Gives a chain back. Home context. The used element is written now and published with all
     * others of the slice; a broken device writes nothing, the head is only counted out (MAL-30).
     *
     * @param head the head index given to {@link QueueClient#onChain}
     * @param writtenBytes bytes written contiguously from the first writable byte (VQ-21)
     */
    public void push(int head, int writtenBytes) {
        AioContext context = home();
        context.checkHome();
        Virtqueue queue = requireRing();
        followDevice(queue);
        queue.push(head, writtenBytes);
        context.deferCall(publish);
        if (whenIdle != null) {
            context.deferSettle(idleCheck);
        }
    }

    /**
     * Chains popped and not yet pushed. Home context.
     *
     * @return the number
     */
    public int outstanding() {
        Virtqueue queue = ring;
        return queue == null ? 0 : queue.inFlight();
    }

    /**
     * Names the pump. Any thread.
     *
     * @return device and queue
     */
    public String describe() {
        return device.name() + ".queue" + index;
    }

    /** Gives the pump its ring. Control, while nothing serves it. */
    void install(Virtqueue queue) {
        assert !attached && outstanding() == 0 : describe() + " is in use";
        ring = queue;
    }

    /** Forgets the ring: late completions write nothing. Control, after the pump became idle. */
    void retire() {
        assert !attached && outstanding() == 0 : describe() + " is in use";
        Virtqueue queue = ring;
        if (queue != null) {
            queue.breakWith(QueueFault.RETIRED);
        }
        ring = null;
        spare.clear();
        client.onRetired();
    }

    /** Whether a ring is installed. Control, while nothing serves it. */
    boolean hasRing() {
        return ring != null;
    }

    /**
     * Begins to serve the ring here and looks at it once, for the kicks that nobody heard (DP-31).
     */
    void attachHere(AioContext context) {
        context.checkHome();
        assert !attached : describe() + " is attached already";
        home = context;
        attached = true;
        if (device.memory().map().guestStoresOrdered()) {
            kick.attach(context, this::process, new RingPoll());
        } else {
            kick.attach(context, this::process);
        }
        kick.set();
    }

    /** What is still popped by a pump that stops. */
    enum LastLook {
        /** Nothing. */
        NONE,
        /** What a kick that came before announced (DP-20). */
        KICKED,
        /** What an earlier life of the ring left unfinished: the ring is about to go. */
        UNFINISHED
    }

    /**
     * Stops popping, after the last look; `idle` runs here, once, when everything popped so far is
     * pushed and published.
     */
    void detachHere(LastLook last, Runnable idle) {
        AioContext context = home();
        context.checkHome();
        assert attached && whenIdle == null : describe() + " is not attached";
        kick.detach();
        if (last == LastLook.KICKED && kick.testAndClear()) {
            process();
        } else if (last == LastLook.UNFINISHED) {
            popUnfinished(requireRing());
        }
        attached = false;
        whenIdle = idle;
        context.deferSettle(idleCheck);
    }

    /** Takes a detach back that has not become idle yet. Home context. */
    void reattachHere() {
        AioContext context = home();
        assert whenIdle != null : describe() + " has left already";
        whenIdle = null;
        attachHere(context);
    }

    /**
     * Pops everything that was available when this was called, then runs `fetched`. Home context.
     * Bounded: no more than a ring's worth was available.
     */
    void fetchHere(Runnable fetched) {
        new Fetch(requireRing().size() / BATCH + 1, fetched).run();
    }

    private void process() {
        Virtqueue queue = ring;
        if (queue == null || !attached || batchPosted) {
            return;
        }
        try {
            popAll(queue);
        } catch (InternalError e) {
            memoryFailed(queue, e);
        }
    }

    private void popAll(Virtqueue queue) {
        followDevice(queue);
        if (queue.fault() != null) {
            return;
        }
        device.showKicked(index, queue);
        do {
            queue.disableNotify();
            if (!popBatch(queue)) {
                return;
            }
        } while (polled ? !queue.isEmpty() : queue.enableNotify());
        checkFault(queue);
    }

    /** At most a ring's worth; whoever waits for the ring waits for these too. */
    private void popUnfinished(Virtqueue queue) {
        boolean goesOn = true;
        try {
            while (goesOn && queue.hasUnfinished()) {
                followDevice(queue);
                int head = queue.pop(spare);
                goesOn = head != Virtqueue.NOTHING && give(queue, head);
            }
            checkFault(queue);
        } catch (InternalError e) {
            memoryFailed(queue, e);
        }
    }

    /** Pops until the ring is empty: true; or until broken or out of budget: false. */
    private boolean popBatch(Virtqueue queue) {
        for (int budget = BATCH; budget > 0; budget--) {
            followDevice(queue);
            int head = queue.pop(spare);
            if (head == Virtqueue.NOTHING) {
                return !checkFault(queue);
            }
            if (!give(queue, head)) {
                return false;
            }
        }
        batchPosted = true;
        home().defer(nextBatch);
        return false;
    }

    private boolean give(Virtqueue queue, int head) {
        MemoryMap memory = spare.memory();
        try {
            spare = client.onChain(head, spare);
        } catch (GuestMemoryFault | InternalError e) {
            memoryFailed(queue, e);
            queue.drop(head);
            spare = new Chain(); // The client may have kept the popped one.
            return false;
        }
        if (memory != null) {
            // The client has the chain: what surfaces now leaves its head to be pushed.
            memory.surfaceFaults();
        }
        return true;
    }

    /** A guest's memory that fails under us breaks its device, never the loop (I7). */
    private void memoryFailed(Virtqueue queue, Throwable cause) {
        device.markBroken(describe() + ": guest memory failed", cause);
        queue.breakWith(QueueFault.MEMORY_FAULT);
    }

    private boolean checkFault(Virtqueue queue) {
        QueueFault fault = queue.fault();
        if (fault != null) {
            device.markBroken(
                    describe() + ": " + fault + " (" + fault.rule() + ")", queue.faultCause());
        }
        return fault != null;
    }

    /** The ring of a broken device is broken too, in the ring's own context. */
    private void followDevice(Virtqueue queue) {
        if (device.isBroken() && queue.fault() == null) {
            queue.breakWith(QueueFault.DEVICE_BROKEN);
        }
    }

    private Virtqueue requireRing() {
        Virtqueue queue = ring;
        if (queue == null) {
            throw new IllegalStateException(describe() + " has no ring");
        }
        return queue;
    }

    /** The ring as a loop sees it that polls before it sleeps. */
    private final class RingPoll implements PollHook {
        @Override
        public boolean poll() {
            Virtqueue queue = ring;
            try {
                return queue != null && attached && !batchPosted && !queue.isEmpty();
            } catch (InternalError e) {
                memoryFailed(queue, e);
                return false;
            }
        }

        @Override
        public void pollBegins() {
            polled = true;
            Virtqueue queue = ring;
            if (queue != null) {
                try {
                    queue.disableNotify();
                    checkFault(queue);
                } catch (InternalError e) {
                    memoryFailed(queue, e);
                }
            }
        }

        @Override
        public void pollEnds() {
            polled = false;
            Virtqueue queue = ring;
            if (queue != null && !batchPosted) {
                try {
                    // Whether something came meanwhile is what the loop asks next.
                    boolean unused = queue.enableNotify();
                    checkFault(queue);
                } catch (InternalError e) {
                    memoryFailed(queue, e);
                }
            }
        }
    }

    /** Publishes what the slice's callbacks have pushed. */
    private final class Publish extends DeferredCall {
        @Override
        protected void run() {
            Virtqueue queue = ring;
            if (queue == null) {
                return;
            }
            try {
                followDevice(queue);
                if (queue.publish()) {
                    device.interrupt().queue(index);
                }
                checkFault(queue);
            } catch (InternalError e) {
                memoryFailed(queue, e);
            }
        }
    }

    /** Reports idleness after the slice was published. */
    private final class IdleCheck extends DeferredCall {
        @Override
        protected void run() {
            Runnable idle = whenIdle;
            if (idle != null && outstanding() == 0 && !batchPosted) {
                whenIdle = null;
                idle.run();
            }
        }
    }

    /** Pops batch after batch, a slice each. */
    private final class Fetch extends Task {
        private final Runnable fetched;
        private int rounds;

        Fetch(int rounds, Runnable fetched) {
            this.rounds = rounds;
            this.fetched = fetched;
        }

        @Override
        protected void run() {
            process();
            if (batchPosted && rounds-- > 0) {
                home().defer(this); // Behind the next batch.
            } else {
                fetched.run();
            }
        }

        @Override
        public String describe() {
            return QueuePump.this.describe() + ": fetch";
        }
    }

    /** Continues a batch that used its budget. */
    private final class NextBatch extends Task {
        @Override
        protected void run() {
            batchPosted = false;
            process();
            if (whenIdle != null) {
                home().deferSettle(idleCheck); // A detach waits for this task too.
            }
        }

        @Override
        public String describe() {
            return QueuePump.this.describe() + ": next batch";
        }
    }
}
