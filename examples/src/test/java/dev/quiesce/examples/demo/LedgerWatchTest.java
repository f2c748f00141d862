package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.virtio.dataplane.QueueMapping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A request that a driver holds is reported with where it is, by a thread that is not control. */
class LedgerWatchTest {
    /** Late at once: on a host whose clock is a coarse one no time may have passed. */
    private static final long AT_ONCE = -1;

    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final GateDriver gate = new GateDriver();
    private DemoMachine machine;
    private GuestScsi driver;
    private LedgerWatch watch;

    @TempDir
    private Path directory;

    @BeforeEach
    void startMachine() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);
        machine = new DemoMachine(new DemoConfig(image, 2, 1, 1, 4, 1, 1, 1), 4 << 20,
                (context, site, cause) -> reports.add(site + ": " + cause));
        var edit = machine.graph().edit();
        edit.insertFilter("gate", gate, machine.topNode(1));
        machine.await("the gate", machine.graph().apply(edit));
        machine.await("the dataplane", machine.hba().startDataplane(
                QueueMapping.roundRobin(machine.contexts().subList(1, 2), 1)));
        driver = new GuestScsi(machine.hba(), machine.ram(), GuestScsiConfig.likeLinux(),
                machine.main().clock());
        machine.await("the driver", driver.begin());
        watch = new LedgerWatch(machine, driver.ledger(), AT_ONCE, reports::add);
    }

    @AfterEach
    void stopMachine() {
        gate.open();
        machine.close();
    }

    @Test
    void shouldSayWhichDiskAndContextHasARequestThatADriverHolds() throws InterruptedException {
        swallowUnitAttention();
        gate.shut();
        GuestCommand read = submit(driver.newCommand(null)
                .cdb(1, 0, GuestCdb.read10(0, 1)).dataIn(machine.ram().allocate(512, 512), 512));
        until(() -> gate.heldCount() == 1);

        lookFromAnotherThread();
        until(() -> reports.stream().anyMatch(line -> line.startsWith("tag ")));

        assertThat(reports).anySatisfy(line -> assertThat(line)
                .startsWith("unanswered for ").contains("command tag " + read.tag()));
        assertThat(reports).anySatisfy(line -> assertThat(line)
                .startsWith("disk1: 1 listed").contains("iothread-0"));
        assertThat(reports).anySatisfy(line -> assertThat(line)
                .startsWith("tag " + read.tag() + " is at disk1: ").contains("in iothread-0"));
        int reported = reports.size();

        lookFromAnotherThread();
        machine.main().poll(0);
        gate.open();
        until(() -> !read.isOutstanding());

        assertThat(reports).hasSize(reported);
        assertThat(read.isGood()).isTrue();
    }

    @Test
    void shouldSayThatNoDiskHasARequestThatWasNotFetched() throws InterruptedException {
        machine.await("the stop", machine.hba().stopDataplane());
        GuestCommand ready = submit(
                driver.newCommand(null).cdb(0, 0, GuestCdb.testUnitReady()));

        lookFromAnotherThread();
        until(() -> reports.stream().anyMatch(line -> line.startsWith("tag ")));

        assertThat(reports).anySatisfy(line -> assertThat(line)
                .startsWith("tag " + ready.tag() + " is with no disk"));
        machine.await("the start", machine.hba().startDataplane(
                QueueMapping.roundRobin(machine.contexts().subList(1, 2), 1)));
        until(() -> !ready.isOutstanding());
    }

    @Test
    void shouldExcuseWhatIsLateBecauseTheHostStoodStill() {
        long second = 1_000_000_000L;
        swallowUnitAttention();
        gate.shut();
        GuestCommand read = submit(driver.newCommand(null)
                .cdb(1, 0, GuestCdb.read10(0, 1)).dataIn(machine.ram().allocate(512, 512), 512));
        until(() -> gate.heldCount() == 1);
        LedgerWatch patient = new LedgerWatch(machine, driver.ledger(), 5 * second, reports::add);
        long now = machine.main().clock().nanoTime() + 100 * second;

        patient.look(now);
        for (int half = 1; half < 10; half++) {
            patient.look(now + half * second / 2);
        }
        assertThat(reports).isEmpty();
        patient.look(now + 5 * second);

        assertThat(reports).anySatisfy(line -> assertThat(line)
                .startsWith("unanswered for 10").contains("command tag " + read.tag()));
        gate.open();
        until(() -> !read.isOutstanding());
    }

    private void swallowUnitAttention() {
        GuestCommand ready = submit(
                driver.newCommand(null).cdb(1, 0, GuestCdb.testUnitReady()));
        until(() -> !ready.isOutstanding());
    }

    private GuestCommand submit(GuestCommand command) {
        assertThat(driver.submit(0, command)).isTrue();
        driver.kick();
        return command;
    }

    private void lookFromAnotherThread() throws InterruptedException {
        Thread foreign = new Thread(watch::look, "foreign");
        foreign.start();
        foreign.join();
    }

    private void until(BooleanSupplier done) {
        while (!done.getAsBoolean()) {
            machine.main().poll(1_000_000);
            driver.poll();
        }
    }
}
