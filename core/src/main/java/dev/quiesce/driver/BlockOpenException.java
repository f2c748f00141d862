package dev.quiesce.driver;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An image could not be opened. The message is one line that names the image and says why, fit to
 * be shown to a user as it is.
 */
public final class BlockOpenException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What was to be opened. */
    private final String image;

    /** Why it was not. */
    private final String reason;

    /**
     * Makes the exception.
     *
     * @param image what was to be opened, usually a path
     * @param reason why it was not, as half a sentence: {@code no such file}
     * @param cause what the host reported, or null if we refused it ourselves
     */
    public BlockOpenException(String image, String reason, @Nullable Throwable cause) {
        super("cannot open " + image + ": " + reason, cause);
        this.image = image;
        this.reason = reason;
    }

    /**
     * What was to be opened.
     *
     * @return the image, usually a path
     */
    public String image() {
        return image;
    }

    /**
     * Why it was not opened.
     *
     * @return the reason, as half a sentence
     */
    public String reason() {
        return reason;
    }
}
