package dev.quiesce.examples.daemon.machine;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Hears of what happens to a machine without having been asked for at that moment. */
@FunctionalInterface
public interface MachineListener {
    /**
     * Something happened. Main context; must not wait.
     *
     * @param event its name, such as {@code DEVICE_DELETED}
     * @param data what belongs to it
     */
    void onEvent(String event, ObjectNode data);
}
