package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tasks that everybody posts everywhere: each runs once, behind those its poster posted before. */
final class LoopPosts extends LoopPart {
    private static final int BATCH = 3;

    /** What has not run: by poster and context, in the order of posting. */
    private final Map<String, Deque<Post>> lanes = new HashMap<>();
    private int posted;

    LoopPosts(LoopStory story) {
        super(story, "posts");
    }

    @Override
    void move(@Nullable AioContext at) {
        AioContext to = story.anyContext();
        switch (story.nextInt(4)) {
            case 0 -> postOuter(at, to);
            case 1 -> postAll(at, to);
            default -> post(at, to, () -> story.callback(to));
        }
    }

    void post(@Nullable AioContext at, AioContext to, Runnable action) {
        Post one = new Post(lane(at, to, ""), to, action);
        story.note("posts " + one.name + " to " + to.name());
        boolean asCode = story.nextInt(2) == 0;
        if (story.accepts(to, false, () -> {
            if (asCode) {
                to.execute(one);
            } else {
                to.post(one.task);
            }
        })) {
            one.lane.add(one);
        }
    }

    private void postOuter(@Nullable AioContext at, AioContext to) {
        Post one = new Post(lane(at, to, "outer "), to, () -> {
            if (to.pollDepth() != 1 || (to == story.main() && story.isWaiting())) {
                story.fail("an outer-only task in a nested turn", to.name());
            }
            story.callback(to);
        });
        one.outer = true;
        story.note("posts " + one.name + " to " + to.name());
        if (story.accepts(to, false, () -> to.postOuter(one.task))) {
            one.lane.add(one);
        }
    }

    private void postAll(@Nullable AioContext at, AioContext to) {
        List<Post> all = new ArrayList<>();
        Task[] tasks = new Task[BATCH];
        for (int i = 0; i < BATCH; i++) {
            all.add(new Post(lane(at, to, ""), to, () -> story.callback(to)));
            tasks[i] = all.get(i).task;
        }
        story.note("posts " + all.get(0).name + " and more to " + to.name());
        if (story.accepts(to, false, () -> to.postAll(tasks, BATCH))) {
            all.get(0).lane.addAll(all);
        }
    }

    private Deque<Post> lane(@Nullable AioContext at, AioContext to, String kind) {
        return lanes.computeIfAbsent(
                kind + story.poster(at) + " to " + to.name(), key -> new ArrayDeque<>());
    }

    @Override
    void addDue(AioContext where, List<String> out) {
        for (Deque<Post> lane : lanes.values()) {
            for (Post post : lane) {
                if (post.to == where) {
                    out.add("task " + post.name);
                }
            }
        }
    }

    @Override
    void lost(AioContext where) {
        lanes.values().forEach(lane -> lane.removeIf(post -> post.to == where));
    }

    @Override
    void letGo(AioContext where) {
        // They run.
    }

    @Override
    boolean isLate() {
        return lanes.values().stream().flatMap(Deque::stream).anyMatch(Post::isLate);
    }

    @Override
    boolean isAnswered() {
        return lanes.values().stream().allMatch(Deque::isEmpty);
    }

    /** A task, or a piece of code that says the same of itself. */
    private final class Post implements Runnable {
        private final Deque<Post> lane;
        private final AioContext to;
        private final Runnable action;
        private final String name = "post " + ++posted;
        private final long postedNanos = story.now();
        private boolean outer;
        private final Task task = new Task() {
            @Override
            protected void run() {
                Post.this.run();
            }

            @Override
            public String describe() {
                return name;
            }
        };

        Post(Deque<Post> lane, AioContext to, Runnable action) {
            this.lane = lane;
            this.to = to;
            this.action = action;
        }

        @Override
        public void run() {
            if (lane.peek() != this || !to.isHome() || isLate()) {
                story.fail("a task out of place", name + ", not " + lane);
            }
            lane.remove();
            action.run();
        }

        /** Outer-only tasks wait for the end of the turns that they find. */
        boolean isLate() {
            return !outer && story.now() != postedNanos;
        }

        @Override
        public String toString() {
            return name;
        }
    }
}
