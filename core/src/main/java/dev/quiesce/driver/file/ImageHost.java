package dev.quiesce.driver.file;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** What the file driver asks of the host; a seam, so that tests can make the host fail. */
interface ImageHost {
    FileChannel openChannel(Path path, boolean readOnly) throws IOException;

    /** Opens the file once more, for nothing but what a {@link Witness} does. */
    Witness openWitness(Path path) throws IOException;

    /** Makes a file durable, or another length, without taking notice of interrupts. */
    interface Witness extends AutoCloseable {
        void sync() throws IOException;

        /** What is added reads as zeroes. */
        void setLength(long bytes) throws IOException;

        @Override
        void close() throws IOException;
    }

    /** The host as it is. */
    static ImageHost system() {
        return new SystemHost();
    }

    /** See {@link #system}. */
    final class SystemHost implements ImageHost {
        private static final Set<OpenOption> READ = Set.of(StandardOpenOption.READ);
        private static final Set<OpenOption> READ_WRITE =
                Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);

        @Override
        public FileChannel openChannel(Path path, boolean readOnly) throws IOException {
            return FileChannel.open(path, readOnly ? READ : READ_WRITE);
        }

        @Override
        public Witness openWitness(Path path) throws IOException {
            try {
                return new SystemWitness(new RandomAccessFile(path.toFile(), "rw"));
            } catch (UnsupportedOperationException e) {
                throw new IOException("it can only be read: not on the host's file system", e);
            }
        }
    }

    /** A descriptor's sync, unlike a channel's force, is not interruptible; nor is its length. */
    record SystemWitness(RandomAccessFile file) implements Witness {
        @Override
        public void sync() throws IOException {
            file.getFD().sync();
        }

        @Override
        public void setLength(long bytes) throws IOException {
            file.setLength(bytes);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
