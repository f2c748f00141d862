package dev.quiesce.examples.demo;

import dev.quiesce.aio.time.Clock;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** The progress of the storm in seconds, on a terminal; nothing elsewhere. */
final class StormProgress implements AutoCloseable {
    private final @Nullable ProgressBar bar;
    private long begunNanos;
    private boolean begun;

    StormProgress(boolean wanted, DemoConfig config) {
        bar = wanted && CommandLine.Help.Ansi.AUTO.enabled()
                ? new ProgressBarBuilder().setTaskName("storm").setInitialMax(config.seconds())
                        .setUpdateIntervalMillis(500).build()
                : null;
    }

    void show(Clock clock) {
        if (bar != null) {
            if (!begun) {
                begun = true;
                begunNanos = clock.nanoTime();
            }
            bar.stepTo((clock.nanoTime() - begunNanos) / 1_000_000_000L);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
