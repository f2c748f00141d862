package dev.quiesce.vhostuser;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
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
     * hours, and what is mapped is a whole guest's memory.
     */
    static void collectReleased() {
        if (ARENAS == null) {
            System.gc();
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
}
