package dev.quiesce.backend;

import java.util.Objects;

/**
 * What a backend is made with.
 *
 * @param name unique among the graph's nodes and backends (GR-6); empty for a backend that has none
 * @param allowContextChange whether others may move it to another context (BB-48); its own
 *     {@link BlockBackend#setContext} is always allowed
 * @param readOnly whether it refuses what modifies, whatever the node below could do
 */
public record BackendConfig(String name, boolean allowContextChange, boolean readOnly) {
    /**
     * Checks.
     *
     * @param name as the component
     * @param allowContextChange as the component
     * @param readOnly as the component
     */
    public BackendConfig {
        Objects.requireNonNull(name, "name");
    }

    /**
     * A backend that can be written and does not let others move it.
     *
     * @param name its name
     * @return the configuration
     */
    public static BackendConfig named(String name) {
        return new BackendConfig(name, false, false);
    }

    /**
     * A copy that lets others move it, or does not.
     *
     * @param value whether others may move it
     * @return the copy
     */
    public BackendConfig withAllowContextChange(boolean value) {
        return new BackendConfig(name, value, readOnly);
    }

    /**
     * A copy that refuses what modifies, or does not.
     *
     * @param value whether it is read-only
     * @return the copy
     */
    public BackendConfig withReadOnly(boolean value) {
        return new BackendConfig(name, allowContextChange, value);
    }
}
