package dev.quiesce.examples.story;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.graph.BlockNode;

/** One way to ask for a backend's context, from any thread. */
enum ContextReading {
    /** Before: the root node is asked too, and must agree (BB-44). */
    ASSERTING("Before: the backend's and the root node's context must agree") {
        @Override
        AioContext read(BlockBackend backend) {
            AioContext own = backend.context();
            BlockNode root = backend.root();
            AioContext below = root == null ? own : root.context();
            if (own != below) {
                throw new DifferentContexts("backend in " + own.name()
                        + ", root node in " + below.name());
            }
            return own;
        }
    },

    /** After, and in Quiesce: one atomic load, compared with nothing. */
    TOLERANT("Quiesce: one atomic read, compared with nothing") {
        @Override
        AioContext read(BlockBackend backend) {
            return backend.context();
        }
    };

    private final String title;

    ContextReading(String title) {
        this.title = title;
    }

    /** {@return what it does, in a few words} */
    String title() {
        return title;
    }

    abstract AioContext read(BlockBackend backend);

    /** The assertion that the first patch took out. */
    static final class DifferentContexts extends AssertionError {
        private static final long serialVersionUID = 1;

        DifferentContexts(String message) {
            super(message);
        }
    }
}
