package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.testkit.guest.HostileRing;
import dev.quiesce.testkit.guest.HostileRing.Descriptor;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.ArrayList;
import java.util.List;

/** A driver that brings a device up and then writes into its rings byte by byte. */
final class HostileGuest {
    private static final int FEATURES_OK =
            DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK;

    private HostileGuest() {
    }

    /** A device that runs, with its rings. */
    static List<HostileRing> begin(ScsiMachine machine, int ringSize) {
        machine.hba.startDataplane(machine.allOnMain());
        negotiate(machine);
        List<HostileRing> rings = rings(machine, ringSize);
        run(machine);
        return rings;
    }

    /** A device whose driver has chosen its features, and told it no ring. */
    static void negotiate(ScsiMachine machine) {
        VirtioScsi device = machine.hba;
        device.writeStatus(DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER);
        device.writeDriverFeatures(VirtioFeatures.VERSION_1 | VirtioScsi.FEATURE_HOTPLUG);
        machine.await(device.writeStatus(FEATURES_OK));
    }

    /** Tells the device a ring for each queue. */
    static List<HostileRing> rings(ScsiMachine machine, int ringSize) {
        List<HostileRing> rings = new ArrayList<>();
        for (int i = 0; i < machine.hba.queues(); i++) {
            HostileRing ring = new HostileRing(machine.ram, ringSize);
            rings.add(ring);
            machine.hba.writeQueue(i, new QueueSetup(ringSize, ring.descriptorAddress(),
                    ring.availAddress(), ring.usedAddress(), true));
        }
        return rings;
    }

    static void run(ScsiMachine machine) {
        machine.await(machine.hba.writeStatus(FEATURES_OK | DeviceStatus.DRIVER_OK));
        assertThat(machine.hba.isDriverOk()).isTrue();
    }

    static void worksAfterAReset(ScsiMachine machine) {
        machine.driverUp();
        try (GuestSession session = machine.session()) {
            session.read(0, 0, GuestCdb.read10(0, 1), 512);
            assertThat(session.answer().isGood()).isTrue();
        }
    }

    /** Writes descriptors that follow one another in the table, each linked to the next. */
    static void chain(HostileRing ring, int first, Descriptor... parts) {
        for (int i = 0; i < parts.length; i++) {
            Descriptor part = parts[i];
            boolean last = i == parts.length - 1;
            ring.descriptor(first + i, new Descriptor(part.address(), part.length(),
                    last ? part.flags() : part.flags() | HostileRing.NEXT,
                    last ? 0 : first + i + 1));
        }
    }
}
