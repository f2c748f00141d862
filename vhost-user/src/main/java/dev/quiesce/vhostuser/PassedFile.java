package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
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
     * A mapped file is paged in by whichever thread touches it, IOThreads included. So what is
     * served by another process or another host is refused: it may never answer. This goes by what
     * the host says of the descriptor's mount, before anything asks the file itself. A mount that
     * this process cannot see is not recognised; memfds have one of the kernel's own.
     *
     * The socket library has a cast to FileChannel. It must not be used: closing that channel
     * deletes /dev/null, if we may.
     */
    private static final String FLAGS = "flags:";
    private static final String MOUNT = "mnt_id:";
    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");
    private static final String END_OF_OPTIONAL = " - ";
    private static final Set<String> SERVED_ELSEWHERE =
            Set.of("9p", "afs", "ceph", "cifs", "coda", "lustre", "smb3", "virtiofs");
    private static final int OCTAL = 8;
    private static final int ACCESS_MODE = 3;
    private static final int READ_WRITE = 2;

    private static final int TYPE_MASK = 0170000;

    /** What {@link #kindOf} says of a pipe, with a name in a file system or without. */
    static final String PIPE = "a pipe";

    /** What {@link #kindOf} says of a socket. */
    static final String SOCKET = "a socket";

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
        Path file = nameOf(descriptor);
        String mount = info(file, MOUNT);
        String type = mount == null ? null : typeOfMount(mount, Files.readAllLines(MOUNTS));
        if (type != null && isServedElsewhere(type)) {
            throw new IOException("on a file system that another process or host serves: " + type);
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("not a regular file, but " + kindOf(file));
        }
        String flags = info(file, FLAGS);
        if (flags == null) {
            throw new IOException("the host does not say how it was opened");
        }
        if ((Integer.parseInt(flags, OCTAL) & ACCESS_MODE) != READ_WRITE) {
            throw new IOException("not passed for reading and writing");
        }
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Where the host shows an open descriptor. */
    static Path nameOf(FileDescriptor descriptor) throws IOException {
        return Path.of("/proc/self/fd/"
                + FileDescriptorCast.using(descriptor).as(Integer.class));
    }

    /** What a file is, in words of ours: its name is the front end's, and may say anything. */
    static String kindOf(Path file, LinkOption... links) throws IOException {
        int mode = Files.getAttribute(file, "unix:mode", links) instanceof Integer bits ? bits : 0;
        return switch (mode & TYPE_MASK) {
            case 0010000 -> PIPE;
            case 0020000 -> "a character device";
            case 0040000 -> "a directory";
            case 0060000 -> "a block device";
            case 0100000 -> "a regular file";
            case 0120000 -> "a symbolic link";
            case 0140000 -> SOCKET;
            default -> "something that the host has no word for";
        };
    }

    /**
     * The type of a mount's file system, or null if the mount is not there.
     *
     * @param id the mount's number
     * @param mounts as in /proc/self/mountinfo, see proc_pid_mountinfo(5)
     */
    static @Nullable String typeOfMount(String id, List<String> mounts) {
        for (String line : mounts) {
            int optional = line.indexOf(END_OF_OPTIONAL);
            if (line.startsWith(id + " ") && optional >= 0) {
                String type = line.substring(optional + END_OF_OPTIONAL.length());
                return type.substring(0, (type + " ").indexOf(' '));
            }
        }
        return null;
    }

    /** Whether somebody else than this host's kernel answers for what is in the file system. */
    static boolean isServedElsewhere(String type) {
        return type.startsWith("fuse") || type.startsWith("nfs") || SERVED_ELSEWHERE.contains(type);
    }

    private static @Nullable String info(Path file, String key) throws IOException {
        Path info = Path.of("/proc/self/fdinfo", file.getFileName().toString());
        for (String line : Files.readAllLines(info)) {
            if (line.startsWith(key)) {
                return line.substring(key.length()).strip();
            }
        }
        return null;
    }
}
