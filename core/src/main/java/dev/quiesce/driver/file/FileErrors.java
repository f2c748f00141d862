package dev.quiesce.driver.file;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockRequest;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the host's exceptions mean. The JDK gives no error numbers, only texts. */
final class FileErrors {
    private static final List<String> NO_SPACE_TEXTS = List.of(
            "No space left on device",
            "Disk quota exceeded",
            "There is not enough space on the disk");

    /** A broken device is not a full one, however much was to be written. */
    private static final List<String> IO_ERROR_TEXTS = List.of(
            "Input/output error",
            "Data error (cyclic redundancy check)");

    private FileErrors() {
    }

    static BlockStatus statusOf(IOException e, Path path, BlockRequest request) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (says(NO_SPACE_TEXTS, t.getMessage())) {
                return BlockStatus.NO_SPACE;
            }
            if (t instanceof EOFException || says(IO_ERROR_TEXTS, t.getMessage())) {
                return BlockStatus.IO_ERROR;
            }
        }
        // The host may speak another language: ask it how much room there is.
        return request.operation().isModifying() && roomBytes(path) < request.lengthBytes()
                ? BlockStatus.NO_SPACE : BlockStatus.IO_ERROR;
    }

    /** Why an image cannot be opened, as half a sentence. */
    static String reasonOf(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String text = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        return text == null ? e.getClass().getSimpleName() : text.lines().findFirst().orElse("");
    }

    private static boolean says(List<String> texts, @Nullable String message) {
        return message != null && texts.stream().anyMatch(message::contains);
    }

    private static long roomBytes(Path path) {
        try {
            return Files.getFileStore(path).getUsableSpace();
        } catch (IOException e) {
            // Nothing better is known than the error that brought us here.
            return Long.MAX_VALUE;
        }
    }
}
