package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.newsclub.net.unix.FileDescriptorCast;

/** Opens a file that a front end has passed, with no more rights than it passed. */
final class PassedFile {
    /*
     * The JDK makes no channel that both reads and writes over a bare descriptor, so the file is
     * opened again by its name in /proc. That asks for the rights of this process where the front
     * end may have had fewer: a file that it could only read would be mapped for writing, by us.
     * Hence the descriptor's own mode is looked at first. Only regular files (memfds and files of
     * tmpfs and hugetlbfs are) are opened: opening a device may do something.
     *
     * The socket library has a cast to FileChannel. It must not be used: closing that channel
     * deletes /dev/null, if we may.
     */
    private static final String FLAGS = "flags:";
    private static final int OCTAL = 8;
    private static final int ACCESS_MODE = 3;
    private static final int READ_WRITE = 2;

    private PassedFile() {
    }

    /**
     * Opens a passed file. The descriptor stays the caller's.
     *
     * @param descriptor what was passed
     * @return a channel that reads and writes, the caller's to close
     * @throws IOException if it is no regular file, was not passed for reading and writing, or this
     *     process may not open it
     */
    static FileChannel open(FileDescriptor descriptor) throws IOException {
        int number = FileDescriptorCast.using(descriptor).as(Integer.class);
        Path file = Path.of("/proc/self/fd/" + number);
        if (!Files.isRegularFile(file)) {
            throw new IOException("not a regular file");
        }
        if ((flags(number) & ACCESS_MODE) != READ_WRITE) {
            throw new IOException("not passed for reading and writing");
        }
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static int flags(int number) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + number))) {
            if (line.startsWith(FLAGS)) {
                return Integer.parseInt(line.substring(FLAGS.length()).strip(), OCTAL);
            }
        }
        throw new IOException("the host does not say how it was opened");
    }
}
