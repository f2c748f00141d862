package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrainExampleTest {
    private static final int IMAGE_BYTES = 1 << 20;

    @TempDir
    private Path directory;

    private Path image;
    private Path copy;

    @BeforeEach
    void makeImage() throws IOException {
        byte[] bytes = new byte[IMAGE_BYTES];
        Arrays.fill(bytes, (byte) 7);
        image = Files.write(directory.resolve("disk.img"), bytes);
        copy = directory.resolve("copy.img");
    }

    @Test
    void shouldCopyTheImageBetweenTwoBlocksOfADeviceThatGoesOnAfterwards() throws IOException {
        long blocks = DrainExample.run(image, copy);

        assertThat(numberIn(image)).as("the last block").isEqualTo(blocks);
        assertThat(numberIn(copy)).as("a block of before").isBetween(1L, blocks - 1);
        assertThat(copy).hasSize(IMAGE_BYTES);
    }

    @Test
    void shouldSayWhyThereIsNoCopyAndLeaveTheImageAlone() throws IOException {
        Files.createFile(copy);

        assertThatThrownBy(() -> DrainExample.run(image, copy))
                .hasCauseInstanceOf(UncheckedIOException.class)
                .hasRootCauseInstanceOf(FileAlreadyExistsException.class);

        assertThat(Files.readAllBytes(image)).endsWith((byte) 7).hasSize(IMAGE_BYTES);
        assertThat(copy).isEmptyFile();
    }

    @Test
    void shouldRunAsAProgram() throws IOException {
        DrainExample.main(new String[] {image.toString(), copy.toString()});

        assertThat(copy).exists();
    }

    private static long numberIn(Path file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).getLong();
    }
}
