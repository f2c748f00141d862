package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;

/**
 * What a driver may know of the node it serves, and of the nodes below.
 */
public interface NodeAccess {
    /**
     * One of the edges down. Edges are exchanged only while the node is drained, so one read is
     * good for one request.
     *
     * <p>Thread: any.
     *
     * @param index the edge, from 0
     * @return the edge
     */
    Child child(int index);

    /**
     * How many edges down there are.
     *
     * <p>Thread: any.
     *
     * @return the number of children
     */
    int children();

    /**
     * What the node is called.
     *
     * <p>Thread: any.
     *
     * @return its name
     */
    String name();

    /**
     * The context of the control thread.
     *
     * <p>Thread: any.
     *
     * @return the main context of the graph
     */
    AioContext main();

    /**
     * Counts work of the driver's own on the node, until it is closed.
     *
     * <p>Thread: any. May allocate: not for the way of a request.
     *
     * @param what what the work is, for the report of a wait
     * @return the open work
     */
    Background beginBackgroundWork(String what);
}
