/**
 * Event loops, the block graph, drained sections and block backends.
 */
module dev.quiesce.core {
    requires org.jctools.core;
    requires org.jctools.core.jdk11;
    requires org.slf4j;
    // Not transitive: else every user compiles with the jar of the annotations.
    requires static org.jspecify;
    // For LoopEvents alone, which says so if it is missing.
    requires static jdk.jfr;

    exports dev.quiesce.aio;
    exports dev.quiesce.aio.channel;
    exports dev.quiesce.aio.queue;
    exports dev.quiesce.aio.source;
    exports dev.quiesce.aio.time;
    exports dev.quiesce.aio.watch;
    exports dev.quiesce.backend;
    exports dev.quiesce.block;
    exports dev.quiesce.drain;
    exports dev.quiesce.driver;
    exports dev.quiesce.driver.file;
    exports dev.quiesce.driver.filter;
    exports dev.quiesce.driver.memory;
    exports dev.quiesce.graph;
}
