package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;

/** Contexts that nobody polls: they only name lanes. Shared by all states, for they are cold. */
final class Contexts {
    static final AioContext MAIN = new AioContext("main", LoopSeams.system());
    static final AioContext A = new AioContext("A", LoopSeams.system());
    static final AioContext B = new AioContext("B", LoopSeams.system());
    static final AioContext C = new AioContext("C", LoopSeams.system());

    static final ParkedReplay REPLAY = parked -> { };

    private Contexts() {
    }
}
