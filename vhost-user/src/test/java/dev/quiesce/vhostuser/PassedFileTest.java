package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a page of guest memory may come from. */
class PassedFileTest {
    private static final List<String> MOUNTS = List.of(
            "22 27 0:21 / /proc rw,relatime - proc proc rw",
            "25 24 0:23 / /dev/shm rw,relatime shared:7 master:1 - tmpfs tmpfs rw,size=24684084k",
            "225 24 0:61 / /mnt/a\\040-\\040b rw,relatime - fuse.sshfs me@there:/ rw,user_id=0",
            "26 24 0:24 / /odd rw");

    @TempDir private Path directory;

    @Test
    void shouldFindTheFileSystemOfAMount() {
        assertThat(PassedFile.typeOfMount("25", MOUNTS)).isEqualTo("tmpfs");
        assertThat(PassedFile.typeOfMount("225", MOUNTS)).isEqualTo("fuse.sshfs");
    }

    /** Memfds are in none that is shown. */
    @Test
    void shouldFindNoFileSystemOfWhatIsNotMountedHere() {
        assertThat(PassedFile.typeOfMount("2", MOUNTS)).isNull();
        assertThat(PassedFile.typeOfMount("26", MOUNTS)).isNull();
    }

    @Test
    void shouldTellWhoServesAFileSystem() {
        assertThat(List.of("fuse", "fuseblk", "fuse.sshfs", "nfs", "nfs4", "9p", "cifs", "smb3",
                "ceph", "virtiofs")).allMatch(PassedFile::isServedElsewhere);
        assertThat(List.of("tmpfs", "hugetlbfs", "ext4", "xfs", "btrfs", "overlay", "devtmpfs"))
                .noneMatch(PassedFile::isServedElsewhere);
    }

    @Test
    void shouldOpenAFileOfThisHost() throws Exception {
        try (RandomAccessFile file =
                        new RandomAccessFile(directory.resolve("ram").toFile(), "rw");
                FileChannel opened = PassedFile.open(file.getFD())) {
            file.setLength(4096);

            assertThat(opened.size()).isEqualTo(4096);
        }
    }
}
