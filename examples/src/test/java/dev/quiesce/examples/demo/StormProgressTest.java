package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.time.Clock;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import me.tongfei.progressbar.ProgressBarConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StormProgressTest {
    private static final String ANSI = "picocli.ansi";
    private static final DemoConfig TEN_SECONDS =
            new DemoConfig(Path.of("image"), 1, 1, 0, 1, 10, 1, Long.MAX_VALUE);

    private final @Nullable String before = System.getProperty(ANSI);
    private final Terminal terminal = new Terminal();
    private long nowNanos = 5_000_000_000L;
    private final Clock clock = () -> nowNanos;

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(ANSI);
        } else {
            System.setProperty(ANSI, before);
        }
    }

    @Test
    void shouldDrawHowManySecondsOfTheStormAreOver() {
        StormProgress progress = StormProgress.on(terminal, TEN_SECONDS);
        progress.show(clock);
        nowNanos += 7_000_000_000L;
        progress.show(clock);
        progress.close();

        assertThat(terminal.drawn.get(terminal.drawn.size() - 1))
                .startsWith("storm").contains("70%", "7/10");
    }

    @Test
    void shouldBeginWithTheFirstStepOfTheStormAndNotBefore() {
        StormProgress progress = StormProgress.on(terminal, TEN_SECONDS);
        nowNanos += 9_000_000_000L; // The probe and the first pass take their time.
        progress.show(clock);
        progress.close();

        assertThat(terminal.drawn.get(terminal.drawn.size() - 1)).contains("0%", "0/10");
    }

    @Test
    void shouldDrawOnATerminalOnlyAndOnlyIfThatIsWanted() {
        System.setProperty(ANSI, "false");
        assertThat(isShown(true)).isFalse();

        System.setProperty(ANSI, "true");
        assertThat(isShown(true)).isTrue();
        assertThat(isShown(false)).isFalse();
    }

    private static boolean isShown(boolean wanted) {
        try (StormProgress progress = StormProgress.of(wanted, TEN_SECONDS)) {
            return progress.isShown();
        }
    }

    /** Remembers what is drawn; the bar draws from a thread of its own, too. */
    private static final class Terminal implements ProgressBarConsumer {
        final List<String> drawn = new CopyOnWriteArrayList<>();

        @Override
        public int getMaxRenderedLength() {
            return 80;
        }

        @Override
        public void accept(String line) {
            drawn.add(line);
        }

        @Override
        public void close() {
            // Nothing to give back.
        }
    }
}
