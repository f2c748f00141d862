package dev.quiesce.virtio.dataplane;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.virtio.dataplane.QueuePump.LastLook;
import dev.quiesce.virtio.queue.Virtqueue;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The control side of a device's request queues: which are served, by which context, and how one
 * changes hands.
 *
 * <p>Operations are asynchronous, may be called from any thread, and begin on the main context in
 * the order of the calls; each stage ends on the main context. A start that follows a stop waits,
 * queue by queue, until what was popped before is back; a reset may cancel that meanwhile.
 *
 * <p><b>Two mappings.</b> With a fixed mapping a queue stays where it is until the dataplane is
 * stopped. With a following one a queue is handed over, at the end of a drained section, to the
 * context in which its leader then lives: the old context stops popping, waits until all it popped
 * is pushed and published, and only then the new context begins. So a ring never has two writers
 * and no request changes its home. Co-location is a hint (BB-51): a hand-over that meets a new
 * drained section is given up, because commands parked by that section may take arbitrarily long,
 * and is tried again when the section ends; one that meets a task management function, when that
 * has fetched.
 */
public final class Dataplane {
    /*
     * Control state is confined to main. Per queue a Station says what the control side knows:
     *
     *   IDLE --attach--> SERVED --detach--> LEAVING --idle--> IDLE
     *                    SERVED --hand over--> MOVING --idle--> SERVED (in the new context)
     *                                          MOVING --given up--> SERVED (in the old one)
     *
     * Transitions of one station are a chain of futures, so that each begins when the one before
     * has ended; nothing waits. Every step is a task posted to the queue's context, and its end is
     * posted to main. Two tasks posted by main to one context run in order, therefore a "give up"
     * cannot overtake its hand-over.
     *
     * A context that ends takes the queues it serves with it: chains it has popped will never be
     * pushed. A transition that needs it fails then, instead of waiting; one of later is refused by
     * the post. Such a queue is lost until its device is gone, since workers may still be writing
     * to its buffers.
     */
    private final String name;
    private final AioContext main;
    private final List<Station> stations = new ArrayList<>();
    private @Nullable QueueMapping mapping; // Main only; null: stopped.
    private int sectionsOpen; // Main only.
    private boolean givingUp; // Main only: from detach to retire nobody waits for a start.
    private long rehomes; // Main only.
    private long handOversGivenUp; // Main only.
    private long starts; // Main only.

    /**
     * Makes a stopped dataplane.
     *
     * @param name for diagnostics
     * @param main the main context
     * @param pumps the request queues in order
     */
    public Dataplane(String name, AioContext main, List<QueuePump> pumps) {
        this.name = name;
        this.main = main;
        for (int i = 0; i < pumps.size(); i++) {
            stations.add(new Station(pumps.get(i), i));
        }
    }

    /**
     * Gives a request queue its ring. Control, while the dataplane is stopped.
     *
     * @param requestQueue number of the request queue
     * @param ring the ring, possibly broken
     */
    public void install(int requestQueue, Virtqueue ring) {
        main.checkHome();
        stations.get(requestQueue).pump.install(ring);
    }

    /**
     * Gives one request queue its ring, and serves it if the dataplane is started; else the next
     * start does. Control. Waits until what was popped from the queue's former ring is back.
     *
     * @param requestQueue number of the request queue, which has no ring
     * @param ring the ring, possibly broken
     * @return ends on main when the queue is attached, or has its ring
     */
    public CompletionStage<Void> open(int requestQueue, Virtqueue ring) {
        main.checkHome();
        return stations.get(requestQueue).open(ring);
    }

    /**
     * Takes one request queue's ring away: ceases to pop, waits until every popped chain was pushed
     * and published, and retires the ring. Control. The other queues go on. Kicks are remembered.
     *
     * @param requestQueue number of the request queue
     * @return ends on main when nothing touches the ring any more
     */
    public CompletionStage<Void> close(int requestQueue) {
        main.checkHome();
        return stations.get(requestQueue).close();
    }

    /**
     * Begins to serve every queue that has a ring. Any thread. Kicks that came before are served
     * (DP-45). Does nothing if it is started already.
     *
     * @param queues who serves which queue
     * @return ends on main when every queue is attached
     */
    public CompletionStage<Void> start(QueueMapping queues) {
        return onMain("start", () -> startNow(queues));
    }

    /**
     * Ceases to serve. Any thread. Ends when every popped chain was pushed and published, commands
     * parked in somebody's drained section included: those end after that section. Kicks are
     * remembered.
     *
     * @return ends on main
     */
    public CompletionStage<Void> stop() {
        return onMain("stop", () -> {
            detachNow(LastLook.KICKED);
            return idle();
        });
    }

    /**
     * Ceases to pop, without waiting for what was popped: the first step of a device reset
     * (VSCSI-49). Any thread.
     *
     * @return ends on main when the contexts have been sent word; what main posts to them later
     *     runs after they have stopped
     */
    public CompletionStage<Void> detach() {
        return onMain("detach", () -> {
            givingUp = true;
            detachNow(LastLook.NONE);
            stations.forEach(Station::giveUpFetches);
            return CompletableFuture.completedFuture(null);
        });
    }

    /**
     * Waits for what was popped before {@link #detach}. Any thread.
     *
     * @return ends on main when every popped chain was pushed and published
     */
    public CompletionStage<Void> awaitIdle() {
        return onMain("await idle", this::idle);
    }

    /**
     * Fetches everything that the guest has made available up to now, so that a task management
     * function finds it: the standard promises a driver that commands which it sent before a
     * function are settled when the function is complete (VirtIO 1.2, 5.6.6.2). Control.
     * Hand-overs under way are given up and tried again afterwards; a queue that is not being
     * served is fetched when it is served again, or given up at {@link #detach}.
     *
     * @return ends on main
     */
    public CompletionStage<Void> fetch() {
        main.checkHome();
        return allStations(Station::fetch);
    }

    /** Forgets the rings: late completions write nothing. Control, after {@link #awaitIdle}. */
    public void retire() {
        main.checkHome();
        for (Station station : stations) {
            station.pump.retire();
        }
        givingUp = false;
    }

    /**
     * Whether queues are being served. Control.
     *
     * @return whether it was started and not stopped since
     */
    public boolean isStarted() {
        main.checkHome();
        return mapping != null;
    }

    /**
     * A drained section over one of the device's disks begins. Control; never waits. Hand-overs
     * that are under way are given up.
     */
    public void sectionBegins() {
        main.checkHome();
        sectionsOpen++;
        for (Station station : stations) {
            station.giveUp();
        }
    }

    /**
     * A drained section over one of the device's disks ends. Control; never waits. After the last
     * one, queues that follow are handed over to where their leaders are now.
     */
    public void sectionEnds() {
        main.checkHome();
        assert sectionsOpen > 0 : name + ": section ends without having begun";
        sectionsOpen--;
        follow();
    }

    /**
     * Hands following queues over to their leaders, unless a section is open (its end will do it).
     * Control.
     */
    public void follow() {
        main.checkHome();
        QueueMapping queues = mapping;
        if (queues == null || !queues.follows() || sectionsOpen > 0) {
            return;
        }
        for (Station station : stations) {
            station.handOver();
        }
    }

    /**
     * Queues handed over from one context to another so far. Control.
     *
     * @return the number
     */
    public long rehomes() {
        main.checkHome();
        return rehomes;
    }

    /**
     * Hand-overs given up because a drained section or a task management function began meanwhile.
     * Control.
     *
     * @return the number
     */
    public long handOversGivenUp() {
        main.checkHome();
        return handOversGivenUp;
    }

    /**
     * Times the dataplane was started. Control.
     *
     * @return the number
     */
    public long starts() {
        main.checkHome();
        return starts;
    }

    private CompletionStage<Void> startNow(QueueMapping queues) {
        if (mapping != null) {
            return CompletableFuture.completedFuture(null);
        }
        mapping = queues;
        givingUp = false;
        starts++;
        return allStations(Station::attach);
    }

    private void detachNow(LastLook last) {
        mapping = null;
        for (Station station : stations) {
            station.detach(last);
        }
    }

    private CompletionStage<Void> idle() {
        return allStations(station -> station.transition);
    }

    private CompletableFuture<Void> allStations(
            Function<Station, CompletableFuture<Void>> operation) {
        return CompletableFuture.allOf(
                stations.stream().map(operation).toArray(CompletableFuture<?>[]::new));
    }

    private CompletionStage<Void> onMain(String what, Operation operation) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        main.postOuter(new Control(name + ": " + what, () -> begin(operation).whenComplete(
                (nothing, failure) -> {
                    if (failure != null) {
                        done.completeExceptionally(failure);
                    } else {
                        done.complete(null);
                    }
                })));
        return done.minimalCompletionStage();
    }

    /** Does something when a stage has ended, well or not. */
    private static void after(CompletionStage<Void> stage, Runnable action) {
        stage.whenComplete((nothing, failure) -> action.run());
    }

    /** Begins an operation; one that throws has failed. */
    private static CompletionStage<Void> begin(Operation operation) {
        try {
            return operation.run();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** One asynchronous operation, begun on main. */
    private interface Operation {
        CompletionStage<Void> run();
    }

    /** What the control side knows about one queue. Main only. */
    private final class Station {
        private final QueuePump pump;
        private final int requestQueue;
        private @Nullable AioContext servedBy; // Null: nobody.
        private @Nullable Move move; // Non-null: a hand-over is under way.
        private final List<CompletableFuture<Void>> fetches = new ArrayList<>(); // Unserved.
        private CompletableFuture<Void> transition = CompletableFuture.completedFuture(null);

        Station(QueuePump pump, int requestQueue) {
            this.pump = pump;
            this.requestQueue = requestQueue;
        }

        CompletableFuture<Void> fetch() {
            giveUp();
            CompletableFuture<Void> done = new CompletableFuture<>();
            transition = settled().thenCompose(nothing -> fetchWhenServed(done));
            handOver(); // Again, if one was given up: no section need ever come.
            return done;
        }

        /**
         * The transition before, however it ended: one that failed must not keep the next from it.
         */
        private CompletableFuture<Void> settled() {
            return transition.handle((ended, failure) -> null);
        }

        void giveUpFetches() {
            List<CompletableFuture<Void>> due = List.copyOf(fetches);
            fetches.clear();
            due.forEach(done -> done.complete(null));
        }

        /**
         * Part of the transition while it runs in the queue's context, not while it waits for a
         * start.
         */
        private CompletableFuture<Void> fetchWhenServed(CompletableFuture<Void> done) {
            AioContext context = servedBy;
            if (!pump.hasRing() || (context == null && givingUp)) {
                done.complete(null);
            } else if (context == null) {
                fetches.add(done);
                return CompletableFuture.completedFuture(null);
            } else {
                failWith(context, done);
                context.post(new Control(pump.describe() + ": fetch",
                        () -> pump.fetchHere(() -> tell(() -> done.complete(null)))));
            }
            return done;
        }

        private void fetchLate() {
            List<CompletableFuture<Void>> due = List.copyOf(fetches);
            fetches.clear();
            for (CompletableFuture<Void> done : due) {
                transition = settled().thenCompose(nothing -> fetchWhenServed(done));
            }
        }

        CompletableFuture<Void> attach() {
            transition = settled().thenCompose(nothing -> attachNow());
            return transition;
        }

        void detach(LastLook last) {
            giveUp();
            transition = settled().thenCompose(nothing -> detachNow(last));
        }

        CompletableFuture<Void> open(Virtqueue ring) {
            transition = settled().thenCompose(nothing -> {
                pump.install(ring);
                return attachNow();
            });
            return transition;
        }

        CompletableFuture<Void> close() {
            giveUp();
            transition = settled()
                    .thenCompose(nothing -> detachNow(LastLook.UNFINISHED))
                    .thenRun(() -> {
                        pump.retire();
                        giveUpFetches(); // Nothing is left to be fetched.
                    });
            return transition;
        }

        void handOver() {
            transition = settled().thenCompose(nothing -> handOverNow());
        }

        /** Takes a hand-over back; its outcome tells whether that came in time. */
        void giveUp() {
            Move current = move;
            if (current != null && !current.from.isGone()) {
                postTakeBack(current);
            }
        }

        private void postTakeBack(Move current) {
            try {
                current.from.post(
                        new Control(pump.describe() + ": give up hand-over", current::takeBack));
            } catch (IllegalStateException gone) {
                // It ends at this very moment, and the hand-over fails with it.
                main.report(pump.describe(), gone);
            }
        }

        private CompletableFuture<Void> attachNow() {
            QueueMapping queues = mapping;
            if (queues == null || !pump.hasRing()) {
                return CompletableFuture.completedFuture(null);
            }
            AioContext context = queues.contextOf(requestQueue);
            CompletableFuture<Void> done = new CompletableFuture<>();
            failWith(context, done);
            context.post(new Control(pump.describe() + ": attach", () -> {
                pump.attachHere(context);
                tell(() -> {
                    fetchLate();
                    done.complete(null);
                });
            }));
            servedBy = context; // Not if it refused: then there is nothing to be detached from it.
            return done;
        }

        private CompletableFuture<Void> detachNow(LastLook last) {
            AioContext context = servedBy;
            if (context == null) {
                return CompletableFuture.completedFuture(null);
            }
            CompletableFuture<Void> done = new CompletableFuture<>();
            servedBy = null;
            failWith(context, done);
            context.post(new Control(pump.describe() + ": detach",
                    () -> pump.detachHere(last, () -> tell(() -> done.complete(null)))));
            return done;
        }

        private CompletableFuture<Void> handOverNow() {
            QueueMapping queues = mapping;
            AioContext from = servedBy;
            if (queues == null || !queues.follows() || from == null || sectionsOpen > 0) {
                return CompletableFuture.completedFuture(null);
            }
            AioContext to = queues.contextOf(requestQueue);
            if (to == from) {
                return CompletableFuture.completedFuture(null);
            }
            to.checkOpen();
            Move begun = new Move(this, from, to);
            move = begun;
            failWith(from, begun.done);
            failWith(to, begun.done);
            after(begun.done, () -> forget(begun));
            from.post(new Control(pump.describe() + ": hand over", begun::leave));
            return begun.done;
        }

        private void forget(Move ended) {
            if (move == ended) {
                move = null;
            }
        }

        private void moved(Move ended, boolean changed) {
            servedBy = changed ? ended.to : ended.from;
            forget(ended);
            if (changed) {
                rehomes++;
            } else {
                handOversGivenUp++;
            }
            ended.done.complete(null);
        }

        /** Fails a transition, on main, if a context that it needs ends before it has ended. */
        private void failWith(AioContext context, CompletableFuture<Void> done) {
            Runnable lost = () -> tell(() -> done.completeExceptionally(new IllegalStateException(
                    pump.describe() + " was lost with the loop of " + context.name())));
            context.watched().atEnd(lost);
            after(done, () -> context.watched().notAtEnd(lost));
        }

        private void tell(Runnable onMain) {
            main.post(new Control(pump.describe() + ": report", onMain));
        }
    }

    /**
     * One hand-over. Its flag belongs to the old context, so that a late "give up" touches nothing
     * else.
     */
    private static final class Move {
        private final Station station;
        private final AioContext from;
        private final AioContext to;
        private final CompletableFuture<Void> done = new CompletableFuture<>(); // Main only.
        private boolean decided; // Context `from` only: gone, or taken back.

        Move(Station station, AioContext from, AioContext to) {
            this.station = station;
            this.from = from;
            this.to = to;
        }

        void leave() {
            station.pump.detachHere(LastLook.NONE, this::gone);
        }

        private void gone() {
            decided = true;
            to.post(new Control(station.pump.describe() + ": take over", () -> {
                station.pump.attachHere(to);
                station.tell(() -> station.moved(this, true));
            }));
        }

        void takeBack() {
            if (!decided) {
                decided = true;
                station.pump.reattachHere();
                station.tell(() -> station.moved(this, false));
            }
        }
    }

    /** A task of the control side; allocated per operation, which control may do. */
    private static final class Control extends Task {
        private final String what;
        private final Runnable action;

        Control(String what, Runnable action) {
            this.what = what;
            this.action = action;
        }

        @Override
        protected void run() {
            action.run();
        }

        @Override
        public String describe() {
            return what;
        }
    }
}
