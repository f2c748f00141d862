package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The way to the bare fields of the models. */
final class Handles {
    private Handles() {
    }

    /** For a field of type {@code int}, which this package may see. */
    static VarHandle of(Class<?> owner, String field) {
        try {
            return MethodHandles.lookup().findVarHandle(owner, field, int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
