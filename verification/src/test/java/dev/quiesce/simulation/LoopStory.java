package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.testkit.Actor;
import dev.quiesce.testkit.Simulation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Three contexts and what loops have: bottom halves, events, timers on three clocks, work, posts.
 * Everybody does everything with everything, also from within callbacks; loops are visited by who
 * takes their lease, and one is closed or dies.
 */
final class LoopStory {
    private static final int MOVES = 7;
    private static final int CALLBACK_MOVES = 24;
    private static final int NESTING_MAX = 3;
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

    /** What must have been seen, or the runs ask less than they seem to. */
    enum Sight {
        ASK_CANCELLED, DELETED_WHILE_RUNNING, SERVED, SERVED_AFTER_REATTACHMENT, FIRED,
        ALARM_CANCELLED, STOPPED_WHILE_FIRING, WORK_CANCELLED, WORK_LOST, VISITED, REFUSED,
        CLOSED, CLOSE_REFUSED, DIED, DIED_WITH_SOMETHING_DUE
    }

    /** What a callback, or work, throws now and then. */
    static final class Mishap extends RuntimeException {
        private static final long serialVersionUID = 1;

        Mishap() {
            super("a mishap", null, false, false);
        }
    }

    private final Simulation sim;
    private final Set<Sight> sights;
    private final List<AioContext> contexts;
    private final List<LoopPart> parts = new ArrayList<>();
    private final List<LoopWork> works = new ArrayList<>();
    private final LoopPosts posts;
    private final List<Mover> movers = new ArrayList<>();
    private final List<String> reports = new ArrayList<>();
    private int callbackMoves = CALLBACK_MOVES;
    private int nesting;
    private boolean waiting;
    private boolean rested;
    private boolean ending;

    LoopStory(Simulation sim, Set<Sight> sights) {
        this.sim = sim;
        this.sights = sights;
        this.contexts = Machine.contexts(sim);
        this.posts = new LoopPosts(this);
        sim.expectErrors(this::isExpected);
        sim.always("everything shows what is known",
                () -> parts.stream().allMatch(LoopPart::isAsKnown));
        sim.always("nothing is late", () -> parts.stream().noneMatch(LoopPart::isLate));
        sim.inTheEnd("everybody was answered", () -> parts.stream()
                .allMatch(LoopPart::isAnswered));
    }

    private boolean isExpected(Throwable error) {
        if (error instanceof IllegalStateException) {
            reports.add(error.getMessage());
        }
        return error instanceof IllegalStateException || error instanceof Mishap;
    }

    // ---- telling

    /** Everything at once. */
    void tell() {
        build();
        for (AioContext context : contexts) {
            move(sim.actor("owner of " + context.name(), context), context, () -> {
                move(context);
            });
        }
        move(sim.actor("visitor"), null, () -> {
            if (nextInt(2) == 0) {
                visit();
            } else {
                move(null);
            }
        });
        move(sim.actor("somebody"), null, () -> move(null));
        move(sim.actor("control", main()), main(), this::awaitAnswers);
        AioContext mortal = contexts.get(2);
        switch (nextInt(3)) {
            case 0 -> move(sim.actor("fate", mortal), mortal, () -> {
                if (nextInt(MOVES) == 0) {
                    die(mortal);
                }
            });
            case 1 -> move(sim.actor("fate", mortal), mortal, () -> close(mortal));
            default -> { }
        }
        rest();
        contexts.forEach(this::end);
        sim.inTheEnd("nothing was reported but lost work",
                () -> reports.stream().allMatch(report -> report.endsWith("is refused")));
    }

    private void build() {
        List<LoopTime> times = List.of(
                new LoopTime(this, "passing", sim.clock(), true),
                new LoopTime(this, "paced", MachineClock.paced(
                        "paced", Clock.Kind.VIRTUAL, sim.clock()), true),
                new LoopTime(this, "driven", MachineClock.driven(
                        "driven", Clock.Kind.VIRTUAL_RT), false));
        parts.addAll(times);
        for (AioContext context : contexts) {
            String of = " of " + context.name();
            parts.add(new LoopHalf(this, "half 1" + of, context));
            parts.add(new LoopHalf(this, "half 2" + of, context));
            times.forEach(time ->
                    parts.add(new LoopAlarm(this, time.name + " alarm" + of, context, time)));
            works.add(new LoopWork(this, "work" + of, context));
        }
        parts.addAll(works);
        for (int i = 1; i <= 3; i++) {
            parts.add(new LoopNotifier(this, "event " + i));
        }
        parts.add(posts);
    }

    private void move(Actor actor, @Nullable AioContext home, Runnable move) {
        movers.add(new Mover(actor, home));
        actor.repeats(MOVES, "moves", move);
    }

    /** Time passes once all have moved, and what is due in it happens. */
    private void rest() {
        LoopTimer bell = new LoopTimer(main(), "bell", () -> rested = true);
        sim.actor("bell", main()).doesWhen("is set",
                () -> movers.stream().allMatch(Mover::isOver),
                () -> bell.armAt(now() + REST_NANOS));
    }

    private void end(AioContext context) {
        Actor last = sim.actor("end of " + context.name(), context).doesWhen("lets go",
                () -> rested, () -> {
                    ending = true;
                    parts.forEach(part -> part.letGo(context));
                });
        if (context != main()) {
            last.doesWhen("closes what has nothing left", () -> due(context).isEmpty()
                    && !isAtWork(context), () -> close(context));
        }
    }

    // ---- moves

    private void move(@Nullable AioContext at) {
        int which = nextInt(parts.size() + 2);
        (which < parts.size() ? parts.get(which) : posts).move(at);
    }

    /** Takes the lease of somebody else's loop for a while. */
    private void visit() {
        AioContext context = contexts.get(1 + nextInt(2));
        sim.note("visits " + context.name());
        posts.post(null, context, () -> callback(context));
        if (context.isGone()) {
            succeeds(false, context::acquire);
            return;
        }
        try (Lease lease = context.acquire()) {
            assert lease != null;
            saw(Sight.VISITED);
            posts.post(null, context, () -> callback(context));
            move(context);
            if (nextInt(2) == 0) {
                context.poll(0);
            }
        }
    }

    private void awaitAnswers() {
        if (nextInt(3) != 0) {
            return;
        }
        sim.note("waits for answers");
        waiting = true;
        ControlWait.until(main(), new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return parts.stream().filter(LoopHalf.class::isInstance)
                        .allMatch(LoopPart::isAnswered);
            }

            @Override
            public void describe(WaitReport out) {
                out.outstanding("a deletion", contexts.get(1), 1, false);
            }
        });
        waiting = false;
    }

    /** What every callback does: something of this and that, at times a turn of its own. */
    void callback(AioContext home) {
        if (nesting == NESTING_MAX) {
            return;
        }
        nesting++;
        try {
            for (int moves = 1 + nextInt(3); moves > 0 && callbackMoves > 0 && !ending; moves--) {
                callbackMoves--;
                moveInCallback(home);
            }
        } finally {
            nesting--;
        }
    }

    private void moveInCallback(AioContext home) {
        switch (nextInt(6)) {
            case 0 -> home.poll(0);
            case 1, 2 -> {
                if (home == main()) {
                    sim.interleave("is in the middle of a callback");
                } else {
                    move(home);
                }
            }
            case 3 -> throw new Mishap();
            default -> move(home);
        }
    }

    void close(AioContext context) {
        if (context.isGone()) {
            return;
        }
        sim.note("closes " + context.name());
        Set<String> due = due(context);
        List<String> leaks = new ArrayList<>();
        parts.forEach(part -> part.addLeaks(context, leaks));
        int before = reports.size();
        try {
            context.close();
        } catch (IllegalStateException e) {
            saw(Sight.CLOSE_REFUSED);
            String message = String.valueOf(e.getMessage());
            expect("what keeps it open", due, names(message, "it still has ", " (AIO-20)"));
            return;
        }
        saw(Sight.CLOSED);
        expect("what was closed over", Set.of(), due);
        List<String> told = reports.subList(before, reports.size());
        expect("what is complained of", Set.copyOf(leaks), told.stream()
                .map(line -> line.substring(line.indexOf(", but ") + 6)).toList());
        told.clear();
    }

    private void die(AioContext context) {
        if (context.isGone()) {
            return;
        }
        Set<String> due = due(context);
        int before = reports.size();
        saw(due.isEmpty() ? Sight.DIED : Sight.DIED_WITH_SOMETHING_DUE);
        parts.forEach(part -> part.lost(context));
        sim.endLoop(context);
        List<String> told = reports.subList(before, reports.size());
        String text = String.join("", told);
        expect("what is named in the end", due, names(text, "it still had ", ""));
        told.clear();
    }

    private static List<String> names(String message, String from, String to) {
        int begin = message.indexOf(from);
        int end = to.isEmpty() ? message.length() : message.indexOf(to);
        return begin < 0 ? List.of()
                : Arrays.asList(message.substring(begin + from.length(), end).split(", "));
    }

    private void expect(String what, Set<String> known, Collection<String> found) {
        if (!known.equals(new TreeSet<>(found))) {
            fail(what, "known: " + known + ", found: " + found);
        }
    }

    private Set<String> due(AioContext context) {
        List<String> due = new ArrayList<>();
        parts.forEach(part -> part.addDue(context, due));
        long atWork = works.stream().filter(work -> work.isAtWork(context)).count();
        if (atWork > 0) {
            due.add(atWork + " items at work");
        }
        return new TreeSet<>(due);
    }

    private boolean isAtWork(AioContext context) {
        return works.stream().anyMatch(work -> work.isAtWork(context));
    }

    // ---- for the parts

    /** Does what a context that is gone must refuse, unless it need not; true if accepted. */
    boolean accepts(AioContext context, boolean always, Runnable action) {
        return succeeds(always || !context.isGone(), action);
    }

    /** Does what must be refused, or must not. */
    boolean succeeds(boolean expected, Runnable action) {
        boolean done = false;
        try {
            action.run();
            done = true;
        } catch (IllegalStateException e) {
            saw(Sight.REFUSED);
            note("is refused");
        }
        if (done != expected) {
            fail(done ? "not refused" : "refused", sim.currentName());
        }
        return done;
    }

    /** {@return who posts: a thread has one home at most} */
    String poster(@Nullable AioContext at) {
        return at == null ? sim.currentName() : at.name();
    }

    AioContext main() {
        return sim.main();
    }

    AioContext anyContext() {
        return contexts.get(nextInt(contexts.size()));
    }

    LoopPosts posts() {
        return posts;
    }

    boolean isWaiting() {
        return waiting;
    }

    long now() {
        return sim.clock().nanoTime();
    }

    int nextInt(int bound) {
        return sim.random().nextInt(bound);
    }

    void note(String what) {
        sim.note(what);
    }

    void saw(Sight sight) {
        sights.add(sight);
    }

    void fail(String kind, String detail) {
        sim.fail(kind, detail);
    }

    /** For scripts: watches a part, whose callbacks do nothing. */
    <T extends LoopPart> T add(T part) {
        parts.add(part);
        callbackMoves = 0;
        return part;
    }

    /** {@return whether nothing is due anywhere, where somebody could see to it} */
    boolean isQuiet() {
        return contexts.stream()
                .allMatch(context -> context.isGone() || due(context).isEmpty());
    }

    List<AioContext> contexts() {
        return contexts;
    }

    private record Mover(Actor actor, @Nullable AioContext home) {
        boolean isOver() {
            return actor.isFinished() || (home != null && home.isGone());
        }
    }
}
