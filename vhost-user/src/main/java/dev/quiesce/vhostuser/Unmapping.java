package dev.quiesce.vhostuser;

import dev.quiesce.aio.time.Clock;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Maps files so that they can be unmapped again, as far as the JVM can: at once from Java 22 on;
 * before, when the garbage collector finds the buffers. Session thread.
 */
abstract sealed class Unmapping {
    private static final Logger LOG = LoggerFactory.getLogger(Unmapping.class);

    private static final @Nullable ArenaMethods ARENAS = ArenaMethods.find();

    private Unmapping() {
    }

    static Unmapping begin() {
        return ARENAS != null ? new ByArena(ARENAS) : new ByCollector();
    }

    /** Whether {@link #release} unmaps at once. */
    static boolean isImmediate() {
        return ARENAS != null;
    }

    /** Maps a stretch of at most 2^31 - 1 bytes, shared, for reading and writing. */
    abstract ByteBuffer map(FileChannel file, long offset, long lengthBytes) throws IOException;

    /** Unmaps everything, at once or with the next collection. Nobody uses the buffers any more. */
    abstract void release();

    /**
     * Sees to it that what was released is unmapped soon: an idle process may not collect for
     * hours, and what is mapped is a whole guest's memory. May wait, see
     * {@link CollectionRequests}.
     *
     * @param mappings how many have been released, and are referred to by nobody any more
     */
    static void collectReleased(long mappings) {
        if (ARENAS == null) {
            CollectionRequests.ofProcess().request(mappings);
        }
    }

    /** Before Java 22 a mapping lives as long as its buffer. */
    private static final class ByCollector extends Unmapping {
        @Override
        ByteBuffer map(FileChannel file, long offset, long lengthBytes) throws IOException {
            return file.map(MapMode.READ_WRITE, offset, lengthBytes);
        }

        @Override
        void release() {
            // Dropping the buffers is all that can be done.
        }
    }

    /** From Java 22 on an arena closes its mappings, and a late access is an exception. */
    private static final class ByArena extends Unmapping {
        private final ArenaMethods methods;
        private final Object arena;

        ByArena(ArenaMethods methods) {
            this.methods = methods;
            this.arena = methods.open();
        }

        @Override
        ByteBuffer map(FileChannel file, long offset, long lengthBytes) throws IOException {
            return methods.map(file, offset, lengthBytes, arena);
        }

        @Override
        void release() {
            try {
                methods.close(arena);
            } catch (IllegalStateException stillUsed) {
                LOG.error("memory of a front end is still in use and stays mapped", stillUsed);
            }
        }
    }

    /** The few methods of java.lang.foreign that are used, which this code cannot name. */
    private record ArenaMethods(Method openShared, Method map, Method asBuffer, Method close) {
        private static final int FINAL_SINCE = 22;

        static @Nullable ArenaMethods find() {
            if (Runtime.version().feature() < FINAL_SINCE) {
                return null;
            }
            try {
                Class<?> arena = Class.forName("java.lang.foreign.Arena");
                return new ArenaMethods(
                        arena.getMethod("ofShared"),
                        FileChannel.class.getMethod(
                                "map", MapMode.class, long.class, long.class, arena),
                        Class.forName("java.lang.foreign.MemorySegment").getMethod("asByteBuffer"),
                        arena.getMethod("close"));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("a JVM of version " + Runtime.version()
                        + " without the arenas it should have", e);
            }
        }

        Object open() {
            return call(openShared, null);
        }

        ByteBuffer map(FileChannel file, long offset, long lengthBytes, Object arena)
                throws IOException {
            try {
                Object segment = map.invoke(file, MapMode.READ_WRITE, offset, lengthBytes, arena);
                return (ByteBuffer) call(asBuffer, segment);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof IOException cause) {
                    throw cause;
                }
                throw unexpected(e);
            } catch (IllegalAccessException e) {
                throw unexpected(e);
            }
        }

        void close(Object arena) {
            call(close, arena);
        }

        private static Object call(Method method, @Nullable Object target) {
            try {
                return method.invoke(target);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw unexpected(e);
            } catch (IllegalAccessException e) {
                throw unexpected(e);
            }
        }

        private static IllegalStateException unexpected(ReflectiveOperationException e) {
            return new IllegalStateException("an arena failed", e);
        }
    }

    /**
     * Asks for the garbage collections by which mappings end before Java 22; not more often than
     * the process can bear, however often front ends change their memory. Any thread; may wait.
     */
    static final class CollectionRequests {
        /*
         * A collection stops every loop of the process, and a front end can ask for one with a
         * message. So there is at most one a second, and none before sixteen times as long has
         * passed as the last one took. What comes earlier shares the next one, which a timer
         * begins: that one finds whatever was released until then.
         *
         * Until then mappings pile up, and a process has few (vm.max_map_count, often 65530).
         * Whoever has let go of more than a whole table of the largest size waits for the
         * collection.
         */
        static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

        /** How many times as long as a collection took there is none. */
        static final long SHARE = 16;

        /** As many as the most memory has that one front end can share. */
        static final long WAITING_MAX = MemoryTable.BYTES_MAX / MappedRegion.PART_BYTES;

        private final Clock clock;
        private final Runnable collector;
        private final Later later;
        private long earliestNanos; // Guarded by this, as all below.
        private long waiting; // Mappings released since the last collection began.
        private boolean pending; // One is asked for, or runs.

        /** Where requests wait that came too early. */
        @FunctionalInterface
        interface Later {
            void run(Runnable task, long delayNanos);
        }

        CollectionRequests(Clock clock, Runnable collector, Later later) {
            this.clock = clock;
            this.collector = collector;
            this.later = later;
            this.earliestNanos = clock.nanoTime();
        }

        /** The process's own: there is one collector. */
        static CollectionRequests ofProcess() {
            return OfProcess.REQUESTS;
        }

        /**
         * So many mappings have lost their last user, and are to be unmapped soon. Waits if too
         * many are to be already.
         */
        void request(long mappings) {
            long delay;
            synchronized (this) {
                waiting += mappings;
                if (pending || waiting == 0) {
                    awaitRoom();
                    return;
                }
                pending = true;
                delay = Math.max(0, earliestNanos - clock.nanoTime());
            }
            if (delay == 0) {
                collect();
            } else {
                later.run(this::collect, delay);
                awaitRoom();
            }
        }

        private void collect() {
            synchronized (this) {
                waiting = 0; // what is released from now on may be missed by this one
            }
            long begun = clock.nanoTime();
            collector.run();
            long ended = clock.nanoTime();
            long pause = Math.max(PERIOD_NANOS, SHARE * (ended - begun));
            synchronized (this) {
                earliestNanos = ended + pause;
                pending = waiting > 0;
                notifyAll();
                if (!pending) {
                    return;
                }
            }
            later.run(this::collect, pause);
        }

        private synchronized void awaitRoom() {
            boolean interrupted = false;
            while (waiting > WAITING_MAX) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private static final class OfProcess {
            private static final CollectionRequests REQUESTS = new CollectionRequests(
                    Clock.system(), System::gc, OfProcess::later);

            private static void later(Runnable task, long delayNanos) {
                Executor timer = CompletableFuture.delayedExecutor(
                        delayNanos, TimeUnit.NANOSECONDS, Runnable::run);
                timer.execute(task);
            }
        }
    }
}
