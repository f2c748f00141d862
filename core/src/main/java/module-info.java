/**
 * Event loops, the block graph, drained sections and block backends.
 */
module dev.quiesce.core {
    requires org.jctools.core;
    requires org.jctools.core.jdk11;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.quiesce.aio;
    exports dev.quiesce.block;
}
