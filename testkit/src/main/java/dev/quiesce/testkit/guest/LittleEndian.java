package dev.quiesce.testkit.guest;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian fields of structures that the driver builds in byte arrays. */
final class LittleEndian {
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {
    }

    static int int32(byte[] bytes, int offset) {
        return (int) INT.get(bytes, offset);
    }

    static void int32(byte[] bytes, int offset, int value) {
        INT.set(bytes, offset, value);
    }

    static void int64(byte[] bytes, int offset, long value) {
        LONG.set(bytes, offset, value);
    }
}
