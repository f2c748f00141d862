package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A split virtqueue (VirtIO 1.2, 2.7), device side. Little-endian, as version 1 devices are; data
 * that comes with a kick is not looked at (VQ-36), the available index in memory is.
 *
 * <p>Made when the driver enables the queue. A configuration that cannot work gives a queue that
 * is broken from the start ({@link #fault}); the constructor does not throw for what the guest
 * wrote, and does not touch the ring. Thread and failure rules are those of {@link Virtqueue}.
 */
public final class SplitVirtqueue implements Virtqueue {

    /*
     * Indices run freely modulo 65536; a slot is the index modulo the size (VQ-4, VQ-30).
     *
     *   given back ... | in flight or pushed ... | made available, not fetched |
     *            usedIndex                 lastAvail                   shadowAvail
     *
     * Two orders matter, and each is one named step of this class.
     *
     * Data: the available index is loaded acquire before anything it covers; the used index is
     * stored release after anything it covers. Everything else is plain: descriptors are private
     * to the device while it holds their head, used elements private to it until published.
     *
     * Being told: "publish; then ask whether the driver wants to know" races with the driver's
     * "say that I want to know; then look again", and the same the other way round for kicks.
     * Each side stores, then loads what the other stores: without a full fence between, both
     * loads may be early and the notification is lost for good. Hence publish =
     * storeUsedIndexRelease, fence, wantsInterrupt and enableNotify = armNotify, fence,
     * isPending; a step model may run the steps one at a time.
     *
     * Both loads need a driver whose stores are ordered. Where they are not, no load of ours is
     * safe: the index may be there and the entries before it not. The driver's own thread sees its
     * stores in order, so it reads the index at the kick and hands it over (availableUpTo), and
     * kicks are never suppressed.
     *
     * Memory is asked for its map in each operation. If it changed, the ring areas are judged
     * again before anything is touched; areas that went away break the queue. What the memory
     * throws breaks it too, and the cause is kept: no exception of the guest's making leaves this
     * class.
     *
     * A journal, if there is one, sees every step of a chain between the two that it lies between:
     * fetched before the chain is out, pushed before the used index, published behind it and before
     * the fence. What is killed at any point so leaves a record that is never behind the ring by
     * more than the batch that was being published.
     */
    private final QueueConfig config;
    private final GuestMemory memory;
    private final ChainReader reader;
    private final HeadTable heads;
    private final @Nullable HeadJournal journal;

    /** Fetched in an earlier life, to be handed out again before anything of the ring. */
    private final int[] unfinished;

    /** How many of those were handed out. */
    private int resumed;

    /** Null only on a queue that was broken from the start. */
    private @Nullable SplitRing ring;

    private int lastAvail;
    private int shadowAvail;
    private int usedIndex;
    private int unpublished;
    private int signalledUsed;
    private boolean signalledValid;
    private boolean notifyEnabled = true;

    /** Where stores are not ordered: as far as the driver's thread said; below 0 if it did not. */
    private int toldAvail = -1;
    private @Nullable QueueFault fault;
    private @Nullable Throwable faultCause;

    /**
     * A queue that the driver has just set up: both indices are zero.
     *
     * @param config what the driver wrote and negotiated
     * @param memory the guest's memory
     * @throws IllegalArgumentException if EVENT_IDX was negotiated for a memory without ordered
     *     stores: the device must not have offered it
     */
    public SplitVirtqueue(QueueConfig config, GuestMemory memory) {
        this(config, memory, QueueState.START, Resumption.at(0));
    }

    private SplitVirtqueue(
            QueueConfig config, GuestMemory memory, QueueState state, Resumption from) {
        this.config = config;
        this.memory = memory;
        this.journal = from.journal();
        this.unfinished = from.unfinished();
        this.reader = new ChainReader(config);
        this.lastAvail = state.lastAvail();
        this.shadowAvail = state.lastAvail();
        this.usedIndex = state.usedIndex();
        QueueFault defect;
        try {
            MemoryMap map = memory.map();
            defect = config.defect(map);
            ring = defect == null ? new SplitRing(config, map) : null;
        } catch (RuntimeException | InternalError failure) {
            defect = QueueFault.MEMORY_FAULT;
            faultCause = failure;
        }
        this.fault = defect;
        this.heads = new HeadTable(defect == null ? config.size() : 0);
        if (ring != null && config.eventIdx() && !ring.isOrdered()) {
            throw new IllegalArgumentException(
                    "EVENT_IDX negotiated, but the guest's stores are not ordered");
        }
    }

    /**
     * A queue that goes on where a saved one stood. Heads that were in flight are handed in by
     * {@link #adopt} before the first pop.
     *
     * @param config what the driver wrote and negotiated
     * @param memory the guest's memory
     * @param state where the queue stood; not trusted
     * @return the queue, perhaps broken from the start
     * @throws IllegalArgumentException if the state says that more chains are in flight than fit
     */
    public static SplitVirtqueue restore(QueueConfig config, GuestMemory memory, QueueState state) {
        SplitVirtqueue queue =
                new SplitVirtqueue(config, memory, state, Resumption.at(state.lastAvail()));
        if (queue.fault == null && state.outstanding() > config.size()) {
            throw new IllegalArgumentException(
                    state + " has more in flight than a ring of " + config.size() + " holds");
        }
        return queue;
    }

    /**
     * A queue over a ring that another device served before, whose used index stands in the ring
     * itself (VQ-5). What that device had in flight and did not answer is named by the resumption,
     * handed in by {@link #adopt} before the first pop, or fetched again by giving an earlier
     * index.
     *
     * @param config what the driver wrote and negotiated
     * @param memory the guest's memory
     * @param from where to go on
     * @return the queue, perhaps broken from the start: also if the used index cannot be right
     * @throws IllegalArgumentException if the available index has more than 16 bits, or an
     *     unfinished head does not exist or is named twice
     */
    public static SplitVirtqueue attach(QueueConfig config, GuestMemory memory, Resumption from) {
        QueueState state = new QueueState(from.lastAvail(), from.lastAvail());
        SplitVirtqueue queue = new SplitVirtqueue(config, memory, state, from);
        if (queue.fault == null) {
            queue.checkUnfinished();
            queue.readUsedIndex();
        }
        return queue;
    }

    /**
     * Marks a head of a restored queue as outstanding: its request was restored too and will be
     * pushed.
     *
     * @param head the head
     * @throws IllegalArgumentException if it is out of range, outstanding already, or one too many
     */
    public void adopt(int head) {
        if (head < 0
                || head >= size()
                || heads.isOutstanding(head)
                || heads.count() >= state().outstanding()) {
            throw new IllegalArgumentException("head " + head + " cannot be in flight: size "
                    + size() + ", " + heads.count() + " adopted, " + state());
        }
        heads.take(head);
    }

    @Override
    public int size() {
        return ring == null ? 0 : config.size();
    }

    @Override
    public int pop(Chain into) {
        into.clear();
        if (fault != null) {
            return NOTHING;
        }
        try {
            SplitRing current = attached();
            if (current == null) {
                return NOTHING;
            }
            return resumed < unfinished.length ? resume(current, into) : fetch(current, into);
        } catch (RuntimeException | InternalError failure) {
            into.clear();
            return refuse(QueueFault.MEMORY_FAULT, failure);
        }
    }

    @Override
    public void availableUpTo(int availIndex) {
        toldAvail = SplitLayout.advance(availIndex, 0);
    }

    @Override
    public void push(int head, int writtenBytes) {
        if (writtenBytes < 0) {
            throw new IllegalArgumentException(writtenBytes + " bytes written, head " + head);
        }
        heads.release(head);
        if (fault != null) {
            return;
        }
        try {
            SplitRing current = attached();
            if (current != null) {
                current.storeUsedElement(
                        SplitLayout.advance(usedIndex, unpublished), head, writtenBytes);
                unpublished++;
                if (journal != null) {
                    journal.pushed(head);
                }
            }
        } catch (RuntimeException | InternalError failure) {
            refuse(QueueFault.MEMORY_FAULT, failure);
        }
    }

    @Override
    public boolean publish() {
        if (unpublished == 0) {
            return false; // also on a broken queue: breaking forgets what was pushed
        }
        try {
            if (attached() == null) {
                return false;
            }
            storeUsedIndexRelease();
            recordPublished();
            fence();
            return wantsInterrupt();
        } catch (RuntimeException | InternalError failure) {
            refuse(QueueFault.MEMORY_FAULT, failure);
            return false;
        }
    }

    @Override
    public boolean enableNotify() {
        if (fault != null) {
            return false;
        }
        try {
            SplitRing current = attached();
            if (current == null || !current.isOrdered()) {
                return false; // not ordered: kicks are never suppressed, and only they make us look
            }
            armNotify();
            fence();
            return isPending();
        } catch (RuntimeException | InternalError failure) {
            refuse(QueueFault.MEMORY_FAULT, failure);
            return false;
        }
    }

    @Override
    public void disableNotify() {
        if (fault != null) {
            return;
        }
        try {
            SplitRing current = attached();
            if (current == null || !current.isOrdered()) {
                return;
            }
            if (!config.eventIdx()) {
                current.storeUsedFlags(SplitLayout.NO_NOTIFY);
            } else if (notifyEnabled && !isPending()) {
                // The driver is still to cross the event index, so it moves behind the driver.
                current.storeAvailEvent(SplitLayout.advance(lastAvail, -1));
            }
            notifyEnabled = false;
        } catch (RuntimeException | InternalError failure) {
            refuse(QueueFault.MEMORY_FAULT, failure);
        }
    }

    @Override
    public boolean notifyEnabled() {
        return notifyEnabled;
    }

    @Override
    public boolean isEmpty() {
        if (fault != null) {
            return true;
        }
        if (shadowAvail != lastAvail || hasUnfinished()) {
            return false;
        }
        try {
            return !isPending();
        } catch (RuntimeException | InternalError failure) {
            return false; // the pop that follows meets the same failure and breaks the queue
        }
    }

    @Override
    public boolean hasUnfinished() {
        return fault == null && resumed < unfinished.length;
    }

    @Override
    public int inFlight() {
        return heads.count() + unpublished;
    }

    @Override
    public void unpop(int head) {
        if (fault != null) {
            heads.release(head);
            return;
        }
        int before = SplitLayout.advance(lastAvail, -1);
        if (!heads.isOutstanding(head) || !heads.wasFetchedAt(before, head)) {
            throw new IllegalStateException("head " + head + " is not the one popped last");
        }
        heads.release(head);
        lastAvail = before;
        if (journal != null) {
            try {
                journal.unfetched(head);
            } catch (RuntimeException | InternalError failure) {
                refuse(QueueFault.MEMORY_FAULT, failure);
            }
        }
    }

    @Override
    public void drop(int head) {
        if (fault == null) {
            throw new IllegalStateException("head " + head + " would be lost: the queue works");
        }
        heads.release(head);
    }

    @Override
    public void breakWith(QueueFault why) {
        refuse(why, null);
    }

    @Override
    public @Nullable QueueFault fault() {
        return fault;
    }

    @Override
    public @Nullable Throwable faultCause() {
        return faultCause;
    }

    @Override
    public QueueState state() {
        return new QueueState(lastAvail, usedIndex);
    }

    /** Step 1 of publish: what was pushed becomes the driver's (VQ-20, VQ-24). */
    void storeUsedIndexRelease() {
        int published = SplitLayout.advance(usedIndex, unpublished);
        ring().publishUsedIndexRelease(published);
        if ((short) (published - signalledUsed) < unpublished) {
            signalledValid = false; // how far the index moved is ambiguous: signal next time
        }
        usedIndex = published;
        unpublished = 0;
    }

    /** Between steps 1 and 2 of publish: what is the driver's is no longer unfinished. */
    private void recordPublished() {
        if (journal != null) {
            journal.published(usedIndex);
        }
    }

    /**
     * Step 2 of publish and of enableNotify: what was stored is visible before what is loaded
     * next.
     */
    void fence() {
        ring().fullFence();
    }

    /** Step 3 of publish: whether the driver wants to be told (VQ-23). */
    boolean wantsInterrupt() {
        if (!ring().isOrdered()) {
            return true;
        }
        if (config.notifyOnEmpty() && inFlight() == 0 && !isPending()) {
            return true;
        }
        if (!config.eventIdx()) {
            return !ring().isInterruptSuppressed();
        }
        boolean wasValid = signalledValid;
        int moved = SplitLayout.distance(signalledUsed, usedIndex);
        signalledUsed = usedIndex;
        signalledValid = true;
        int event = SplitLayout.advance(ring().usedEvent(), 1);
        int beyondEvent = SplitLayout.distance(event, usedIndex);
        return !wasValid || beyondEvent < moved;
    }

    /** Step 1 of enableNotify: ask for kicks from now on (VQ-25, VQ-26). */
    void armNotify() {
        notifyEnabled = true;
        if (config.eventIdx()) {
            ring().storeAvailEvent(ring().availIndexAcquire());
        } else {
            ring().storeUsedFlags(0);
        }
    }

    /** Step 3 of enableNotify: always a fresh load, never the remembered index (VQ-28). */
    boolean isPending() {
        return availIndexAcquire(ring()) != lastAvail || hasUnfinished();
    }

    /** Never ahead of the entries that it covers. */
    private int availIndexAcquire(SplitRing current) {
        return toldAvail >= 0 && !current.isOrdered() ? toldAvail : current.availIndexAcquire();
    }

    private SplitRing ring() {
        return Objects.requireNonNull(ring);
    }

    /** The ring in the memory as it is now, or null: then the queue broke (VQ-3, MAL-17). */
    private @Nullable SplitRing attached() {
        MemoryMap now = memory.map();
        if (ring().map() == now) {
            return ring;
        }
        if (config.defect(now) != null) {
            refuse(QueueFault.MEMORY_FAULT, null);
            return null;
        }
        ring = new SplitRing(config, now);
        return ring;
    }

    private void readUsedIndex() {
        try {
            usedIndex = ring().usedIndex();
            int outstanding = state().outstanding();
            if (outstanding > config.size() || outstanding < unfinished.length) {
                refuse(QueueFault.INDEX_JUMP, null);
            }
        } catch (RuntimeException | InternalError failure) {
            refuse(QueueFault.MEMORY_FAULT, failure);
        }
    }

    private void checkUnfinished() {
        HeadTable named = new HeadTable(config.size());
        for (int head : unfinished) {
            if (head < 0 || head >= config.size() || named.isOutstanding(head)) {
                throw new IllegalArgumentException(
                        "unfinished head " + head + " in a ring of " + config.size());
            }
            named.take(head);
        }
    }

    /** The next chain of an earlier life: its head has left the available ring already. */
    private int resume(SplitRing current, Chain into) {
        int head = unfinished[resumed];
        QueueFault defect = reader.read(current.map(), head, into);
        if (defect != null) {
            return refuse(defect, null);
        }
        heads.take(head);
        resumed++;
        return head;
    }

    private int fetch(SplitRing current, Chain into) {
        if (shadowAvail == lastAvail) {
            if (config.eventIdx() && notifyEnabled) {
                current.fullFence(); // the event stored by the last pop is visible before we look
            }
            shadowAvail = availIndexAcquire(current);
            int available = SplitLayout.distance(lastAvail, shadowAvail);
            if (available == 0) {
                return NOTHING;
            }
            if (available > config.size()) {
                return refuse(QueueFault.INDEX_JUMP, null);
            }
        }
        if (inFlight() >= config.size()) {
            return refuse(QueueFault.QUEUE_OVERFULL, null);
        }
        int head = current.headAt(lastAvail);
        if (head >= config.size()) {
            return refuse(QueueFault.HEAD_OUT_OF_RANGE, null);
        }
        if (heads.isOutstanding(head)) {
            return refuse(QueueFault.HEAD_IN_USE, null);
        }
        QueueFault defect = reader.read(current.map(), head, into);
        if (defect != null) {
            return refuse(defect, null);
        }
        int next = SplitLayout.advance(lastAvail, 1);
        if (config.eventIdx() && notifyEnabled) {
            current.storeAvailEvent(next);
        }
        if (journal != null) {
            journal.fetched(head);
        }
        heads.take(head); // last: nothing can fail any more, so a head taken is a head answered
        heads.recordFetch(lastAvail, head);
        lastAvail = next;
        return head;
    }

    private int refuse(QueueFault why, @Nullable Throwable cause) {
        if (fault == null) {
            fault = why;
            faultCause = cause;
            unpublished = 0;
        }
        return NOTHING;
    }
}
