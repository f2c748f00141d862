package dev.quiesce.vhostuser;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;

/**
 * What a {@link VhostUserServer} is made of.
 *
 * @param name for diagnostics
 * @param socket where it listens; a socket there that nobody serves is replaced
 * @param threads makes its threads: one for messages, and while a front end is connected one for
 *     kicks and one that looks after signals
 */
public record VhostUserConfig(String name, Path socket, ThreadFactory threads) {
    /**
     * Checks the values.
     *
     * @param name as the component
     * @param socket as the component
     * @param threads as the component
     * @throws IllegalArgumentException if the name is blank
     */
    public VhostUserConfig {
        Objects.requireNonNull(socket, "socket");
        Objects.requireNonNull(threads, "threads");
        if (name.isBlank()) {
            throw new IllegalArgumentException("a server needs a name, not '" + name + "'");
        }
    }
}
