package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The request lists of one unit, one per context that ever executed a request on it. Any thread.
 *
 * <p>The table is copied on write under a lock and read without one. A list stays as long as its
 * context can run, so the table is as long as there are contexts.
 */
final class RequestTable {
    private static final VarHandle LISTS;

    static {
        try {
            LISTS = MethodHandles.lookup()
                    .findVarHandle(RequestTable.class, "lists", RequestList[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LogicalUnit unit;

    /** Guards the writing of the table; a leaf. */
    private final Object lock = new Object();

    /** By cause; counted in any context, since lists go with theirs. */
    private final ConcurrentMap<CancelCause, Long> cancelled = new ConcurrentHashMap<>();

    /** Copied on write under the lock; written and read volatile. */
    private RequestList[] lists = {};

    RequestTable(LogicalUnit unit) {
        this.unit = unit;
    }

    /** All lists, not to be changed. Volatile: control's read in the Dekker pair of LogicalUnit. */
    RequestList[] all() {
        return (RequestList[]) LISTS.getVolatile(this);
    }

    /** The list of a context, made when it is first asked for. Home context. */
    RequestList of(AioContext home) {
        for (RequestList list : all()) {
            if (list.home() == home) {
                return list;
            }
        }
        RequestList fresh = new RequestList(unit, home);
        synchronized (lock) {
            RequestList[] grown = Arrays.copyOf(lists, lists.length + 1);
            grown[lists.length] = fresh;
            // Volatile: the arriving request's write in the Dekker pair of LogicalUnit.
            LISTS.setVolatile(this, grown);
        }
        return fresh;
    }

    /** Drops the list of a context that was closed. */
    void forget(RequestList list) {
        synchronized (lock) {
            RequestList[] kept = Arrays.stream(lists)
                    .filter(other -> other != list).toArray(RequestList[]::new);
            LISTS.setVolatile(this, kept);
        }
    }

    int listed() {
        int sum = 0;
        for (RequestList list : all()) {
            sum += list.listedCountOpaque();
        }
        return sum;
    }

    int cancelling() {
        int sum = 0;
        for (RequestList list : all()) {
            sum += list.cancellingCountOpaque();
        }
        return sum;
    }

    void countCancelled(CancelCause cause) {
        cancelled.merge(cause, 1L, Long::sum);
    }

    long cancelled(CancelCause cause) {
        return cancelled.getOrDefault(cause, 0L);
    }
}
