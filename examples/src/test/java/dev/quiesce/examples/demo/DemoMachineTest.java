package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockOpenException;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.virtio.dataplane.QueueMapping;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class DemoMachineTest {
    private static final int RAM_BYTES = 4 << 20;
    private static final DemoConfig CONFIG = new DemoConfig(Path.of("none"), 3, 1, 1, 4, 1, 1, 1);

    @Test
    void shouldSayWhyALaterDiskCannotBeOpened() {
        Queue<BlockDriver> images = new ArrayDeque<>(List.of(newImage(), newImage()));

        assertThatThrownBy(() -> new DemoMachine(CONFIG, RAM_BYTES, (context, site, cause) -> { },
                () -> {
                    if (images.isEmpty()) {
                        throw new BlockOpenException("disk.img", "too many open files", null);
                    }
                    return images.remove();
                }))
                .isInstanceOf(BlockOpenException.class)
                .hasMessage("cannot open disk.img: too many open files")
                .hasNoSuppressedExceptions();
    }

    @Test
    void shouldSayWhatHoldsItUpWhenItCannotBeTakenDown() throws IOException {
        DemoMachine machine = new DemoMachine(
                CONFIG, RAM_BYTES, (context, site, cause) -> { }, DemoMachineTest::newImage);
        GateDriver gate = new GateDriver();
        gate.cancellable(false);
        var edit = machine.graph().edit();
        edit.insertFilter("gate", gate, machine.topNode(0));
        machine.await("the gate", machine.graph().apply(edit));
        machine.await("the dataplane", machine.hba().startDataplane(
                QueueMapping.roundRobin(List.of(machine.main()), 1)));
        GuestScsi driver = new GuestScsi(machine.hba(), machine.ram(), GuestScsiConfig.likeLinux(),
                machine.main().clock());
        machine.await("the driver", driver.begin());
        gate.shut();
        GuestCommand read = driver.newCommand(null).cdb(0, 0, GuestCdb.read10(0, 1))
                .dataIn(machine.ram().allocate(512, 512), 512);
        while (gate.heldCount() == 0) {
            if (!read.isOutstanding()) { // The first is answered with a unit attention.
                driver.submit(0, read);
                driver.kick();
            }
            machine.main().poll(0);
            driver.poll();
        }

        assertThatThrownBy(() -> machine.closeWithin(1_000_000))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closing the host adapter does not end")
                .hasMessageContaining("disk0");

        gate.open();
        machine.close();
        assertThat(machine.disks()).allMatch(disk -> disk.listedRequests() == 0);
    }

    private static BlockDriver newImage() {
        return new MemoryDriver(MemoryConfig.direct(1 << 20));
    }
}
