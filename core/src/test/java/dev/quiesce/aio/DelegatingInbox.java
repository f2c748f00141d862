package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;

/** A real inbox behind one in which something may happen before or after. */
class DelegatingInbox extends Inbox<Task> {
    private final Inbox<Task> inbox = Task.Queues.newInbox();

    @Override
    public boolean offer(Task item) {
        return inbox.offer(item);
    }

    @Override
    public boolean offerAll(Task[] items, int count) {
        return inbox.offerAll(items, count);
    }

    @Override
    public int poll(Object[] into, int from, int max) {
        return inbox.poll(into, from, max);
    }

    @Override
    public boolean hasNext() {
        return inbox.hasNext();
    }

    @Override
    public long claimed() {
        return inbox.claimed();
    }

    @Override
    public boolean isEmpty() {
        return inbox.isEmpty();
    }

    @Override
    public boolean sealIfEmpty() {
        return inbox.sealIfEmpty();
    }

    @Override
    public void unseal() {
        inbox.unseal();
    }

    @Override
    public void seal() {
        inbox.seal();
    }
}
