package dev.quiesce.testkit.guest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The guest's book of who owes it what: every tag that was given to the device, until it is
 * answered.
 *
 * <p>Written by the vCPU; read by any thread, a watchdog for instance. A tag answered twice, a
 * ring that returns what it was not given, and a response that is late are complaints, made as
 * soon as they are seen. A host that has no time can be late; the others break the contract.
 */
public final class TagLedger {
    private final Map<Long, Entry> open = new HashMap<>(); // Guarded by this.
    private final List<String> complaints = new ArrayList<>(); // Guarded by this.
    private final List<String> breaches = new ArrayList<>(); // Guarded by this.
    private long opened; // Guarded by this.
    private long answered; // Guarded by this.
    private long oldestEverNanos; // Guarded by this.

    /** Makes an empty ledger. */
    public TagLedger() {
    }

    /**
     * Enters a tag. vCPU.
     *
     * @param tag the tag
     * @param what the command, for complaints; a text, for those who complain are other threads
     * @param nowNanos the time
     */
    public synchronized void open(long tag, String what, long nowNanos) {
        opened++;
        if (open.put(tag, new Entry(what, nowNanos)) != null) {
            complain("tag " + tag + " was given out twice: " + what);
        }
    }

    /**
     * Strikes a tag out. vCPU.
     *
     * @param tag the tag
     * @param nowNanos the time
     */
    public synchronized void answered(long tag, long nowNanos) {
        Entry entry = open.remove(tag);
        if (entry == null) {
            complain("tag " + tag + " was answered and not owed");
            return;
        }
        answered++;
        oldestEverNanos = Math.max(oldestEverNanos, nowNanos - entry.sinceNanos);
    }

    /**
     * Strikes a tag out that nobody owes an answer any more, as after a reset. vCPU.
     *
     * @param tag the tag
     */
    public synchronized void forgiven(long tag) {
        open.remove(tag);
    }

    /**
     * Enters a complaint of another kind. vCPU.
     *
     * @param what what happened
     */
    public synchronized void complain(String what) {
        complaints.add(what);
        breaches.add(what);
    }

    /**
     * Looks for late responses and complains once about each. It is no breach: whoever is never
     * answered is {@linkplain #openTags still open} at the end. Any thread.
     *
     * @param nowNanos the time
     * @param limitNanos how long a response may take
     * @return the tags that are late and were not before
     */
    public synchronized Set<Long> findLate(long nowNanos, long limitNanos) {
        Set<Long> late = new HashSet<>();
        for (Map.Entry<Long, Entry> each : open.entrySet()) {
            Entry entry = each.getValue();
            long ageNanos = nowNanos - entry.sinceNanos;
            if (ageNanos > limitNanos && !entry.reported) {
                entry.reported = true;
                late.add(each.getKey());
                complaints.add("unanswered for " + ageNanos / 1_000_000 + " ms: " + entry.what);
            }
        }
        return late;
    }

    /**
     * Age of the oldest open tag. Any thread.
     *
     * @param nowNanos the time
     * @return nanoseconds, 0 if nothing is open
     */
    public synchronized long oldestOpenNanos(long nowNanos) {
        long oldest = 0;
        for (Entry entry : open.values()) {
            oldest = Math.max(oldest, nowNanos - entry.sinceNanos);
        }
        return oldest;
    }

    /**
     * The longest that any answered tag has taken. Any thread.
     *
     * @return nanoseconds
     */
    public synchronized long oldestEverNanos() {
        return oldestEverNanos;
    }

    /**
     * Tags not answered yet. Any thread.
     *
     * @return the number
     */
    public synchronized int openTags() {
        return open.size();
    }

    /**
     * Tags given out so far. Any thread.
     *
     * @return the number
     */
    public synchronized long opened() {
        return opened;
    }

    /**
     * Tags answered so far. Any thread.
     *
     * @return the number
     */
    public synchronized long answered() {
        return answered;
    }

    /**
     * Everything that was wrong so far. Any thread.
     *
     * @return a copy, oldest first
     */
    public synchronized List<String> complaints() {
        return List.copyOf(complaints);
    }

    /**
     * What was wrong so far and cannot be excused by a host that has no time: all complaints but
     * those about late responses. Any thread.
     *
     * @return a copy, oldest first
     */
    public synchronized List<String> breaches() {
        return List.copyOf(breaches);
    }

    private static final class Entry {
        private final String what;
        private final long sinceNanos;
        private boolean reported;

        Entry(String what, long sinceNanos) {
            this.what = what;
            this.sinceNanos = sinceNanos;
        }
    }
}
