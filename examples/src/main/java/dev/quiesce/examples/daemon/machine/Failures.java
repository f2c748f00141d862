package dev.quiesce.examples.daemon.machine;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;

/** What failed, without the wrappings of stages. */
public final class Failures {
    private Failures() {
    }

    /**
     * The failure itself.
     *
     * @param failure as a stage hands it over
     * @return what a stage of it wrapped, or the failure
     */
    public static Throwable unwrapped(Throwable failure) {
        Throwable inner = failure;
        while (inner instanceof CompletionException && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return inner;
    }

    /**
     * One line for people.
     *
     * @param failure what went wrong
     * @return its message, or what it is if it has none
     */
    public static String lineOf(Throwable failure) {
        Throwable inner = unwrapped(failure);
        String message = inner.getMessage();
        if (message == null || message.isBlank()) {
            return inner.getClass().getSimpleName();
        }
        String line = message.lines().findFirst().orElse("");
        return inner instanceof FileSystemException named && named.getReason() == null
                ? line + ": " + reasonOf(named) : line;
    }

    /** These say by their class alone what the matter is. */
    private static String reasonOf(FileSystemException failure) {
        if (failure instanceof NoSuchFileException) {
            return "no such file or directory";
        }
        return failure instanceof AccessDeniedException
                ? "permission denied" : failure.getClass().getSimpleName();
    }

    /** The same failure, for whoever must throw something unchecked. */
    static RuntimeException rethrown(Throwable failure) {
        Throwable inner = unwrapped(failure);
        return inner instanceof RuntimeException unchecked
                ? unchecked : new CompletionException(inner);
    }
}
