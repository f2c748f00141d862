package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Hold;

/**
 * Keeps a backend's context as it is until closed (BB-45). Any thread. Work that is scheduled into
 * {@link #context()} closes the pin when it has run. A pin is never held while waiting for
 * something that can park on the same backend (I9).
 */
public final class Pin implements AutoCloseable {
    private final Hold hold;
    private final AioContext context;

    Pin(Hold hold, AioContext context) {
        this.hold = hold;
        this.context = context;
    }

    /**
     * The backend's context, stable while the pin is open. Any thread.
     *
     * @return the context
     */
    public AioContext context() {
        return context;
    }

    /**
     * Lets the context change again. Any thread; once only.
     *
     * @throws IllegalStateException if it was closed before
     */
    @Override
    public void close() {
        hold.close();
    }
}
