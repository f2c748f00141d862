package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What was opened is closed, whatever fails on the way. */
class FileDescriptorTest extends FileFixture {
    @BeforeEach
    void createFile() throws IOException {
        create(512);
    }

    @AfterEach
    void expectAllClosed() {
        assertThat(host.closed).hasValue(host.opened.get());
        assertThat(host.witnessesClosed).hasValue(host.witnessesOpened.get());
    }

    @Test
    void shouldCloseTheChannelOfAFileThatVanishes() {
        host.afterOpen = Files::delete;

        assertThatThrownBy(() -> new ImageFile(host, path, false))
                .isInstanceOf(NoSuchFileException.class);

        assertThat(host.opened).hasValue(1);
    }

    @Test
    void shouldCloseBothDescriptorsOfAFileThatDoesNotTellItsSize() {
        host.size = real -> {
            throw new IOException("stale handle");
        };

        assertThatThrownBy(() -> new ImageFile(host, path, false)).hasMessage("stale handle");

        assertThat(host.witnessesOpened).hasValue(1);
    }

    @Test
    void shouldCloseTheChannelOpenedAnewOfAFileThatVanishes() throws IOException {
        GuardedChannel channel = new GuardedChannel(host, path, false);
        host.size = real -> {
            host.size = again -> { };
            real.close();
            host.closed.incrementAndGet();
            throw new ClosedChannelException();
        };
        host.afterOpen = Files::delete;

        assertThatThrownBy(channel::size).isInstanceOf(NoSuchFileException.class);

        assertThat(host.opened).hasValue(2);
    }

    @Test
    void shouldCloseTheSecondDescriptorWhenTheFirstCannotBeClosed() throws IOException {
        ImageFile image = new ImageFile(host, path, false);
        host.close = () -> {
            throw new IOException("quota");
        };

        assertThatThrownBy(image::close).hasMessage("quota");
    }
}
