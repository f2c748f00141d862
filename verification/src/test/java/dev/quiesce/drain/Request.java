package dev.quiesce.drain;

import dev.quiesce.aio.Task;

/** A request of a step model. */
final class Request extends Task {
    final String name;
    State state = State.NEW;

    Request(String name) {
        this.name = name;
    }

    void become(State from, State to) {
        if (state != from) {
            throw new IllegalStateException(name + " becomes " + to + " but is " + state);
        }
        state = to;
    }

    @Override
    protected void run() {
        throw new AssertionError(name + " is never queued");
    }

    @Override
    public String toString() {
        return name + " " + state;
    }

    /** Where a request stands. */
    enum State { NEW, PARKED, RUNNING, CANCELLED, DONE }
}
