package dev.quiesce.scsi;

import dev.quiesce.scsi.spec.Sense;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The unit attention conditions that wait to be reported for one unit. Any thread.
 *
 * <p>Conditions queue, each at most once, so none is lost to another one (SCSI-34 [B]). The lowest
 * precedence number is reported first (SCSI-33), equals in the order in which they arose. A reset
 * makes those conditions superfluous that it {@linkplain Sense#subsumes subsumes}. At most {@value
 * #CONDITIONS_MAX} wait, far more than there are conditions; beyond that the newest of the weakest
 * is dropped.
 */
final class UnitAttentions {
    static final int CONDITIONS_MAX = 32;

    private final Object lock = new Object();

    /** In order of precedence. Guarded by the lock, a leaf: nothing is called while it is held. */
    private final List<Sense> pending = new ArrayList<>();

    /** Written under the lock; volatile so that a command looks without taking it. */
    private volatile boolean any;

    /**
     * Looks whether something waits. A condition that is being queued right now may be seen by this
     * command or by the next: both orders are legal.
     */
    boolean isPending() {
        return any;
    }

    void add(Sense condition) {
        synchronized (lock) {
            for (Sense waiting : pending) {
                if (waiting.equals(condition) || waiting.subsumes(condition)) {
                    return;
                }
            }
            pending.removeIf(condition::subsumes);
            int at = 0;
            while (at < pending.size()
                    && pending.get(at).precedence() <= condition.precedence()) {
                at++;
            }
            pending.add(at, condition);
            if (pending.size() > CONDITIONS_MAX) {
                pending.remove(CONDITIONS_MAX);
            }
            any = true;
        }
    }

    /** Removes and returns the condition to report next. */
    @Nullable Sense take() {
        synchronized (lock) {
            if (pending.isEmpty()) {
                return null;
            }
            Sense first = pending.remove(0);
            any = !pending.isEmpty();
            return first;
        }
    }

    /** Removes one condition, if it waits (SCSI-39). */
    void clear(Sense condition) {
        synchronized (lock) {
            pending.remove(condition);
            any = !pending.isEmpty();
        }
    }

    /** The conditions as they would be reported. */
    List<Sense> snapshot() {
        synchronized (lock) {
            return List.copyOf(pending);
        }
    }
}
