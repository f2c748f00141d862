package dev.quiesce.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Pipe;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoopExampleTest {
    @Test
    void shouldSleepUntilTheClockOfTheMachineTicksAndRunUntilItIsSwitchedOff() throws IOException {
        Pipe pipe = Pipe.open();
        pipe.source().configureBlocking(false);
        List<Integer> interrupts = new ArrayList<>();
        int[] slices = new int[1];

        new LoopExample(pipe.source(), () -> {
            slices[0]++;
            return false;
        }, irq -> {
            interrupts.add(irq);
            type(pipe.sink(), "sq");
        }).run();

        assertThat(interrupts).containsExactly(8);
        assertThat(slices[0]).as("turns of a machine that is halted").isLessThan(10);
        assertThat(pipe.source().isRegistered()).as("left behind").isFalse();
        pipe.source().close();
        pipe.sink().close();
    }

    @Test
    void shouldRunAsAProgram() throws IOException {
        LoopExample.main(new String[0]);
    }

    private static void type(WritableByteChannel console, String text) {
        try {
            console.write(US_ASCII.encode(text));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
