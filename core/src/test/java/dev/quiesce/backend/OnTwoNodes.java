package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.graph.BlockNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A backend on top, top on back, everything in main; and no error that nobody expected. */
abstract class OnTwoNodes {
    Machine machine;
    HeldDriver topDriver;
    HeldDriver backDriver;
    BlockNode top;
    BlockNode back;
    BlockBackend backend;

    @BeforeEach
    void build() {
        machine = new Machine();
        topDriver = new HeldDriver("top");
        backDriver = new HeldDriver("back");
        back = machine.node("back", backDriver);
        top = machine.node("top", topDriver, back);
        backend = machine.backend("disk", top, machine.main);
    }

    @AfterEach
    void leave() {
        machine.close();
        assertThat(machine.errors).isEmpty();
    }
}
