package dev.quiesce.vhostuser;

import dev.quiesce.testkit.guest.GuestRam;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A guest's memory in files that have no name any more, as front ends share it. */
final class SharedRam implements AutoCloseable {
    static final long GUEST_ADDRESS = 0x10_0000;
    static final long USER_OFFSET = 0x7f00_0000_0000L;

    /** Not zero and not the file's begin, as User-Mode Linux has it. */
    static final long FILE_OFFSET = 0x3000;

    final GuestRam ram;
    private final List<Payload.Region> regions = new ArrayList<>();
    private final List<RandomAccessFile> files = new ArrayList<>();
    private final List<String> names = new ArrayList<>();

    SharedRam(int bytes) throws IOException {
        this(Piece.whole(GUEST_ADDRESS, bytes));
    }

    /** Memory of several regions, each of which the guest uses as far as it says. */
    SharedRam(Piece... pieces) throws IOException {
        GuestRam.Builder builder = GuestRam.builder();
        for (Piece each : pieces) {
            Path path = Files.createTempFile("quiesce-vhost-test", ".ram");
            RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
            files.add(file);
            names.add(path.getFileName().toString());
            Files.delete(path);
            file.setLength(FILE_OFFSET + each.sizeBytes());
            regions.add(new Payload.Region(each.guestAddress(), each.sizeBytes(),
                    each.guestAddress() + USER_OFFSET, FILE_OFFSET));
            builder.add(each.guestAddress() + each.usedFrom(), file.getChannel().map(
                    MapMode.READ_WRITE, FILE_OFFSET + each.usedFrom(), each.usedBytes()));
        }
        ram = builder.build();
    }

    /**
     * One region; the guest uses a part of it, the rest is there and never touched.
     *
     * @param guestAddress of its first byte
     * @param sizeBytes its length
     * @param usedFrom where the used part begins
     * @param usedBytes how long that is
     */
    record Piece(long guestAddress, long sizeBytes, long usedFrom, int usedBytes) {
        static Piece whole(long guestAddress, int sizeBytes) {
            return new Piece(guestAddress, sizeBytes, 0, sizeBytes);
        }
    }

    /** The first region. */
    Payload.Region region() {
        return regions.get(0);
    }

    List<Payload.Region> regions() {
        return regions;
    }

    /** What the first region's file was called, and is in the kernel's lists; no other ever is. */
    String name() {
        return names.get(0);
    }

    /** The first region's file. */
    FileDescriptor descriptor() throws IOException {
        return files.get(0).getFD();
    }

    FileDescriptor[] descriptors() throws IOException {
        FileDescriptor[] all = new FileDescriptor[files.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = files.get(i).getFD();
        }
        return all;
    }

    /** Takes the memory away from under whoever has mapped it. */
    void truncate() throws IOException {
        for (RandomAccessFile file : files) {
            file.setLength(0);
        }
    }

    @Override
    public void close() throws IOException {
        for (RandomAccessFile file : files) {
            file.close();
        }
    }
}
