package dev.quiesce.examples.demo;

import dev.quiesce.aio.time.Clock;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** The progress of the storm in seconds, on a terminal; nothing elsewhere. */
final class StormProgress implements AutoCloseable {
    private final @Nullable ProgressBar bar;
    private long begunNanos;
    private boolean begun;

    private StormProgress(@Nullable ProgressBar bar) {
        this.bar = bar;
    }

    /** Shown if it is wanted and standard error is a terminal. */
    static StormProgress of(boolean wanted, DemoConfig config) {
        boolean shown = wanted && CommandLine.Help.Ansi.AUTO.enabled();
        return new StormProgress(shown ? builder(config).build() : null);
    }

    /** Shown on a given terminal. */
    static StormProgress on(ProgressBarConsumer terminal, DemoConfig config) {
        return new StormProgress(builder(config).setConsumer(terminal).build());
    }

    private static ProgressBarBuilder builder(DemoConfig config) {
        return new ProgressBarBuilder().setTaskName("storm").setInitialMax(config.seconds())
                .setUpdateIntervalMillis(500);
    }

    boolean isShown() {
        return bar != null;
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
