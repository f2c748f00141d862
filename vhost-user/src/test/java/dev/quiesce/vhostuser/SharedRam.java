package dev.quiesce.vhostuser;

import dev.quiesce.testkit.guest.GuestRam;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;

/** A guest's memory in a file that has no name any more, as front ends share it. */
final class SharedRam implements AutoCloseable {
    static final long GUEST_ADDRESS = 0x10_0000;
    static final long USER_OFFSET = 0x7f00_0000_0000L;

    /** Not zero and not the file's begin, as User-Mode Linux has it. */
    static final long FILE_OFFSET = 0x3000;

    final GuestRam ram;
    private final RandomAccessFile file;
    private final int bytes;

    SharedRam(int bytes) throws IOException {
        this.bytes = bytes;
        Path path = Files.createTempFile("quiesce-vhost-test", ".ram");
        file = new RandomAccessFile(path.toFile(), "rw");
        Files.delete(path);
        file.setLength(FILE_OFFSET + bytes);
        ram = GuestRam.builder()
                .add(GUEST_ADDRESS,
                        file.getChannel().map(MapMode.READ_WRITE, FILE_OFFSET, bytes))
                .build();
    }

    Payload.Region region() {
        return new Payload.Region(
                GUEST_ADDRESS, bytes, GUEST_ADDRESS + USER_OFFSET, FILE_OFFSET);
    }

    FileDescriptor descriptor() throws IOException {
        return file.getFD();
    }

    /** Takes the memory away from under whoever has mapped it. */
    void truncate() throws IOException {
        file.setLength(0);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
