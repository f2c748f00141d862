package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.block.IoVector;
import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** One thread asks for the units of a target without a pause while another plugs and unplugs. */
class ReportLunsThreadsTest {
    private static final int REPORTS = 20_000;

    /** So many at least, since only some of them meet a report that looks twice. */
    private static final int CHANGES = 2_000;

    private static final int UNITS = 5;
    private static final int ROOM_BYTES = 8 + 8 * (UNITS + 2);

    @Test
    @Rule("SBUG-35")
    @Rule("SCSI-46")
    @Rule("SCHED-16")
    void shouldReportTheUnitsOfOneInstantWhileOthersComeAndGo() {
        try (Rig rig = new Rig();
                IoThread thread = IoThread.start(new IoThreadConfig("reports",
                        Executors.defaultThreadFactory(), LoopSeams.system(), true))) {
            ScsiBus bus = new ScsiBus(rig.main, ScsiBusConfig.largest());
            List<FakeUnit> units = new ArrayList<>();
            for (int i = 0; i < UNITS; i++) {
                units.add(new FakeUnit(rig, "unit" + i));
                plug(bus, units.get(i), i);
            }
            Reporter reporter = new Reporter(bus, thread.context(), rig.main);
            reporter.begin();

            int changes = 0;
            while (!reporter.ended) {
                reporter.changes = changes;
                int lun = 1 + changes % (UNITS - 1);
                bus.unplugBlocking(new ScsiAddress(0, lun));
                plug(bus, units.get(lun), lun);
                changes++;
            }

            assertThat(reporter.faults).isEmpty();
            units.forEach(unit -> bus.unplugBlocking(unit.address()));
        }
    }

    private static void plug(ScsiBus bus, FakeUnit unit, int lun) {
        bus.plug(unit, new ScsiAddress(0, lun)).toCompletableFuture().join();
    }

    /** Sends the next command when the last one was answered, and looks at each answer. */
    private static final class Reporter implements HostAdapter {
        private static final byte[] CDB = FakeHba.bytes(0xA0, 0, 0, 0, 0, 0, 0, 0, 0, ROOM_BYTES,
                0, 0);

        private final ScsiBus bus;
        private final AioContext home;
        private final AioContext main;
        private final ScsiRequest request = new ScsiRequest(this);
        private final byte[] room = new byte[ROOM_BYTES];
        private final IoVector in = new IoVector();
        private final IoVector none = new IoVector();
        private final List<String> faults = new ArrayList<>();
        private int reports;
        private volatile int changes;
        private volatile boolean ended;

        Reporter(ScsiBus bus, AioContext home, AioContext main) {
            this.bus = bus;
            this.home = home;
            this.main = main;
            in.add(ByteBuffer.wrap(room), 0, room.length);
        }

        void begin() {
            home.execute(this::issue);
        }

        private void issue() {
            if ((reports >= REPORTS && changes >= CHANGES) || !faults.isEmpty()) {
                ended = true;
                main.wake();
                return;
            }
            request.prepare(home, reports++, CDB, CDB.length).withData(none, in);
            bus.find(0, 0).execute(request);
        }

        /** LUN 0 first, then the others in their order, as many as the header says and as moved. */
        @Override
        public void complete(ScsiRequest answered) {
            ByteBuffer list = ByteBuffer.wrap(room);
            int bytes = list.getInt(0);
            boolean whole = answered.sense() == null
                    && answered.movedBytes() == 8 + bytes && bytes % 8 == 0 && bytes >= 8;
            int last = -1;
            for (int at = 8; whole && at < 8 + bytes; at += 8) {
                whole = list.getLong(at) >>> 48 > last;
                last = (int) (list.getLong(at) >>> 48);
            }
            if (!whole) {
                faults.add("report " + reports + ", " + answered + ", length " + bytes);
            }
            home.execute(this::issue);
        }

        @Override
        public void cancelled(ScsiRequest answered) {
            faults.add("cancelled " + answered);
            home.execute(this::issue);
        }
    }
}
