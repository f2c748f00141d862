package dev.quiesce.examples.daemon;

/**
 * Turns SIGTERM and SIGINT into an orderly stop and exit code 0, or 1 if data may be lost.
 *
 * <p>The JVM answers these signals by running its shutdown hooks. This one stops the daemon, waits
 * until it has taken everything down, and ends the process itself, because the JVM would report the
 * signal as the exit code. A daemon that ends by itself takes the hook away first.
 */
final class StopSignal implements AutoCloseable {
    private static final String BY_SIGNAL = "host-signal";

    private final Thread hook;

    private StopSignal(StorageDaemon daemon) {
        hook = new Thread(() -> stop(daemon), "stop-signal");
    }

    static StopSignal install(StorageDaemon daemon) {
        StopSignal signal = new StopSignal(daemon);
        Runtime.getRuntime().addShutdownHook(signal.hook);
        return signal;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException underWay) {
            // A signal came; the hook ends the process as soon as it sees that run() is over.
            hook.setName("stop-signal (ending)");
        }
    }

    private static void stop(StorageDaemon daemon) {
        daemon.stop(BY_SIGNAL);
        try {
            daemon.awaitEnd();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        Runtime.getRuntime().halt(daemon.isSound() ? 0 : 1);
    }
}
