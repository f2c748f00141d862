package dev.quiesce.benchmarks.loop;

import dev.quiesce.aio.OtherInboxes;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.util.function.Function;

/** A loop, and a way to ask it. */
public enum Contender {
    /** Ours: one {@link dev.quiesce.aio.BottomHalf}; asks between two runs are one. */
    QUIESCE_BOTTOM_HALF(Loops.QuiesceBottomHalf::new),

    /** Ours: one {@link dev.quiesce.aio.Task}, posted again only when it has run. */
    QUIESCE_TASK(Loops.QuiesceTask::new),

    /** Ours: the same, on a loop that polls before it sleeps though there are two of them. */
    QUIESCE_POLLING(Loops.QuiescePolling::new),

    /** Ours: a task for each ask, used again when it has run. */
    QUIESCE_TASKS(Loops.QuiesceTasks::new),

    /** Ours: the same, 32 at a time; asks come in multiples of that. */
    QUIESCE_BURST(Loops.QuiesceBurst::new),

    /** Our loop, tasks one by one, with a queue of JCTools for an inbox. */
    QUIESCE_JCTOOLS(name -> new Loops.QuiesceTasks(name, OtherInboxes::startWithJctools)),

    /** Our loop, tasks one by one, with a stack of linked tasks for an inbox. */
    QUIESCE_LINKED(name -> new Loops.QuiesceTasks(name, OtherInboxes::startWithLinks)),

    /** Ours: {@code execute(Runnable)}, which allocates. */
    QUIESCE_EXECUTE(Loops.QuiesceExecute::new),

    /** Netty's loop on the selector of the JDK. */
    NETTY_NIO(name -> new Loops.Netty(NioIoHandler.newFactory())),

    /** Netty's loop on its own epoll. */
    NETTY_EPOLL(name -> new Loops.Netty(EpollIoHandler.newFactory())),

    /** A queue of JCTools and a thread that parks. */
    JCTOOLS_PARK(ParkLoop::new),

    /** The Disruptor with a consumer that yields and never sleeps. */
    DISRUPTOR_YIELDING(name -> new Loops.Yielding()),

    /** An executor of the JDK with one thread. */
    THREAD_POOL(name -> new Loops.Pool());

    private final Function<String, Loop> maker;

    Contender(Function<String, Loop> maker) {
        this.maker = maker;
    }

    /** Starts a loop. */
    Loop start(String name) {
        return maker.apply(name);
    }
}
