package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Memory whose failure the JVM reports late: it breaks the device that touched it, no loop. */
class LateFaultTest {
    private static final int DISK_BYTES = 1 << 20;

    @Test
    @Rule("I7")
    @Rule("MAL-17")
    void shouldBreakOnlyTheDeviceWhereverTheFaultSurfaces() {
        int broken = 0;
        int at = 1;
        while (surfacesInACommand(at)) {
            broken++;
            at++;
        }

        assertThat(broken).as("places where a fault surfaces in one command").isGreaterThan(2);
    }

    @Test
    @Rule("I7")
    void shouldAskTheMemoryOfAChainBeforeItsHandlerReturns() {
        GuestRam ram = GuestRam.direct(1 << 20, 4 << 20);
        try (ScsiMachine machine = new ScsiMachine(1, 0, ram)) {
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(DISK_BYTES))),
                    new ScsiAddress(0, 0));
            machine.begun();
            machine.settled();
            machine.gates.get(0).shut();
            Surfacing surfacing = new Surfacing(ram.whole(), Integer.MAX_VALUE);
            surfacing.asked = () -> surfacing.askedWhileHeld |=
                    machine.gates.get(0).heldCount() > 0;
            ram.replaceMap(surfacing.map());

            GuestCommand command = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.turn();

            assertThat(surfacing.askedWhileHeld)
                    .as("the driver had the request, and perhaps its buffers").isTrue();
            assertThat(command.isOutstanding()).isTrue();
            ram.replaceMap(ram.whole());
        }
    }

    /** Returns false if a whole command asked its memory less often than that. */
    private static boolean surfacesInACommand(int at) {
        GuestRam ram = GuestRam.direct(1 << 20, 4 << 20);
        try (ScsiMachine machine = new ScsiMachine(1, 0, ram)) {
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(DISK_BYTES))),
                    new ScsiAddress(0, 0));
            machine.begun();
            machine.settled();
            Surfacing surfacing = new Surfacing(ram.whole(), at);
            machine.gates.get(0).shut();
            ram.replaceMap(surfacing.map());

            GuestCommand command = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.turn();
            machine.gates.get(0).open();
            machine.turn();
            ram.replaceMap(ram.whole());

            if (!surfacing.hasThrown()) {
                assertThat(command.isGood()).isTrue();
                return false;
            }
            assertThat(machine.hba.isBroken()
                    || (!command.isOutstanding() && !command.isGood()))
                    .as("a fault at place " + at + " has broken the device, or failed the command")
                    .isTrue();
            assertThat(machine.disks.get(0).listedRequests()).isZero();
            assertThat(machine.main.isIdle()).isTrue();
            worksAfterAReset(machine.driver, machine);
            return true;
        }
    }

    private static void worksAfterAReset(GuestScsi driver, ScsiMachine machine) {
        machine.await(driver.reset());
        driver.forget();
        GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
        try (GuestSession session = machine.session()) {
            session.execute(0, 0, GuestCdb.testUnitReady()); // Takes the unit attention.
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
        }
    }

    @Test
    @Rule("I7")
    void shouldBreakTheDeviceWhenAFaultSurfacesInItsPublish() {
        GuestRam ram = GuestRam.direct(1 << 20, 4 << 20);
        List<String> reports = new ArrayList<>();
        AioContext main = new AioContext("main", LoopSeams.system()
                .withErrors((context, site, cause) -> reports.add(site + ": " + cause)));
        boolean[] fails = new boolean[1];
        Interrupt late = new Interrupt() {
            @Override
            public void queue(int index) {
                if (fails[0]) {
                    throw new InternalError("a fault occurred in an unsafe access");
                }
            }

            @Override
            public void config() {
                assertThat(main.isHome()).isTrue();
            }
        };
        try (Lease lease = main.acquire()) {
            ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
            VirtioScsi hba = VirtioScsi.create(VirtioScsiConfig.of("scsi", 1), bus, ram, late);
            GuestScsi driver =
                    new GuestScsi(hba, ram, GuestScsiConfig.likeLinux(), main.clock());
            GuestMachine guest = GuestMachine.single(main);
            hba.startDataplane(new QueueMapping.Fixed(Collections.nCopies(1, main)));
            GuestSession.begin(driver, guest, ScsiMachine.LIMIT_NANOS);
            fails[0] = true;

            GuestCommand command =
                    driver.newCommand(null).cdb(3, 0, GuestCdb.testUnitReady());
            assertThat(driver.submit(0, command)).isTrue();
            driver.kick();

            assertThat(guest.await(driver, hba::isBroken, ScsiMachine.LIMIT_NANOS)).isTrue();
            assertThat(reports).isEmpty();
            assertThat(main.isIdle()).isTrue();
        }
    }

    /** Guest memory that says nothing until it is asked for the n-th time, and then throws. */
    private static final class Surfacing {
        private final MemoryMap whole;
        private int left;
        private Runnable asked = () -> { };
        private boolean askedWhileHeld;

        Surfacing(MemoryMap whole, int at) {
            this.whole = whole;
            this.left = at;
        }

        boolean hasThrown() {
            return left <= 0;
        }

        MemoryMap map() {
            return (MemoryMap) Proxy.newProxyInstance(MemoryMap.class.getClassLoader(),
                    new Class<?>[] {MemoryMap.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("surfaceFaults")) {
                            asked.run();
                            left--;
                            if (left == 0) {
                                throw new InternalError("a fault occurred in an unsafe access");
                            }
                            return null;
                        }
                        try {
                            return method.invoke(whole, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }
}
