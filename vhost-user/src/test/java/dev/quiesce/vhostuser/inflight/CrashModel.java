package dev.quiesce.vhostuser.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.Resumption;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import dev.quiesce.virtio.queue.Virtqueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * A driver that knows what it is owed, and back ends that serve its ring one after the other, each
 * of which is killed before a given store. A request is executed when it is popped.
 *
 * <p>What is checked, at each step: no request is executed that the ring says is finished; none
 * that is not there; requests that are executed again come in the order of the first time. And at
 * the end: every request was executed and finished, once.
 */
final class CrashModel {
    private static final int ENTRIES = 4;
    private static final int STEPS = 40;
    private static final long DESCRIPTORS = 0x1000;
    private static final long AVAIL = 0x2000;
    private static final long USED = 0x3000;
    private static final long DATA = 0x4000;
    private static final QueueConfig RING = new QueueConfig(ENTRIES, DESCRIPTORS, AVAIL, USED, 0);

    private final MemoryMap guest = RegionMap.builder()
            .add(DESCRIPTORS, ByteBuffer.allocateDirect(0x4000)).build();
    private final MemoryMap buffer = RegionMap.builder().add(0,
            ByteBuffer.allocateDirect((int) InflightBuffer.bytes(2, ENTRIES))).build();
    private final Random random;

    /* The driver. */
    private final TreeSet<Integer> free = new TreeSet<>();
    private final Map<Integer, Integer> owed = new HashMap<>(); // Head to request.
    private final Map<Integer, Integer> executions = new LinkedHashMap<>(); // Request to number.
    private int requests;
    private int finished;
    private int offered;
    private int seen;

    /* The back end that lives. */
    private SteppedMap.Steps steps = new SteppedMap.Steps(0);
    private SplitVirtqueue queue;
    private final Chain chain = new Chain();
    private final List<Integer> held = new ArrayList<>();

    CrashModel(long seed, int firstIndex) {
        random = new Random(seed);
        offered = firstIndex;
        seen = firstIndex;
        guest.store16(AVAIL + 2, firstIndex);
        guest.store16(USED + 2, firstIndex);
        for (int head = 0; head < ENTRIES; head++) {
            free.add(head);
            long at = DESCRIPTORS + 16L * head;
            guest.store64(at, DATA + 16L * head);
            guest.store32(at + 8, 16);
        }
    }

    /**
     * Runs the model with back ends that may make so many stores each; the last one is not killed.
     *
     * @return how many stores the last one made
     */
    int run(int... lives) {
        int life = 0;
        begin(lives, life);
        int done = 0;
        while (done < STEPS || !owed.isEmpty() || queue == null) {
            try {
                if (queue == null) {
                    resume();
                } else if (done < STEPS) {
                    done++;
                    step();
                } else {
                    finish();
                }
            } catch (SteppedMap.Killed killed) {
                life++;
                begin(lives, life);
            }
        }
        assertThat(finished).isEqualTo(requests);
        assertThat(executions).hasSize(requests);
        return steps.made();
    }

    private void begin(int[] lives, int life) {
        steps = new SteppedMap.Steps(life < lives.length ? lives[life] : Integer.MAX_VALUE);
        queue = null;
        held.clear();
    }

    private void resume() {
        try {
            // What a front end can say after a crash is no more than the used index.
            int used = guest.load16(USED + 2);
            InflightQueue journal =
                    new InflightBuffer(new SteppedMap(buffer, steps), 2, ENTRIES)
                            .resume(1, ENTRIES, used);
            int[] unfinished = journal.unfinished();
            assertOrder(unfinished);
            queue = SplitVirtqueue.attach(RING, GuestMemory.fixed(new SteppedMap(guest, steps)),
                    Resumption.of((used + unfinished.length) & 0xFFFF, unfinished, journal));
            assertThat(queue.fault()).isNull();
        } catch (InflightException e) {
            throw new AssertionError(e);
        }
    }

    /** In the order in which they were executed first, in whichever life that was. */
    private void assertOrder(int[] unfinished) {
        List<Integer> before = new ArrayList<>(executions.keySet());
        int last = -1;
        for (int head : unfinished) {
            int at = before.indexOf(owed.get(head));
            assertThat(at).as("order of head %s", head).isGreaterThan(last);
            last = at;
        }
    }

    private void step() {
        switch (random.nextInt(6)) {
            case 0, 1 -> offer();
            case 2 -> pop();
            case 3 -> push();
            case 4 -> queue.publish();
            default -> poll();
        }
    }

    private void finish() {
        while (pop()) {
            assertThat(queue.fault()).isNull();
        }
        while (!held.isEmpty()) {
            push();
        }
        queue.publish();
        poll();
    }

    private void offer() {
        Integer head = free.pollFirst();
        if (head != null) {
            owed.put(head, requests++);
            guest.store16(AVAIL + 4 + 2L * (offered % ENTRIES), head);
            offered = (offered + 1) & 0xFFFF;
            guest.storeRelease16(AVAIL + 2, offered);
        }
    }

    private boolean pop() {
        int head = queue.pop(chain);
        if (head == Virtqueue.NOTHING) {
            return false;
        }
        assertThat(owed).as("popped heads are owed").containsKey(head);
        for (int at = seen; at != guest.load16(USED + 2); at = (at + 1) & 0xFFFF) {
            assertThat(usedHead(at)).as("executed though finished").isNotEqualTo(head);
        }
        executions.merge(owed.get(head), 1, Integer::sum);
        held.add(head);
        return true;
    }

    private void push() {
        if (!held.isEmpty()) {
            int head = held.remove(random.nextInt(held.size()));
            queue.push(head, 0);
        }
    }

    private void poll() {
        for (int used = guest.loadAcquire16(USED + 2); seen != used; seen = (seen + 1) & 0xFFFF) {
            int head = usedHead(seen);
            assertThat(owed.remove(head)).as("head %s is finished once", head).isNotNull();
            finished++;
            free.add(head);
        }
    }

    private int usedHead(int index) {
        return guest.load32(USED + 4 + 8L * (index % ENTRIES));
    }
}
