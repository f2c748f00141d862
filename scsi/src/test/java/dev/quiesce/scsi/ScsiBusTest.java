package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScsiBusTest {
    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final ScsiBus bus = new ScsiBus(rig.main, new ScsiBusConfig(3, 15));
    private final List<String> events = new ArrayList<>();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("SCSI-4")
    void shouldFindExactlyWhatIsThere() {
        FakeUnit unit = plugged("one", new ScsiAddress(1, 7));

        assertThat(bus.find(1, 7)).isSameAs(unit);
        assertThat(bus.find(1, 0)).isNull();
        assertThat(bus.find(0, 7)).isNull();
        assertThat(bus.find(-1, 0)).isNull();
        assertThat(bus.find(99, 0)).isNull();
        assertThat(bus.hasTarget(1)).isTrue();
        assertThat(bus.hasTarget(2)).isFalse();
        assertThat(unit.address()).isEqualTo(new ScsiAddress(1, 7));
    }

    @Test
    @Rule("SCSI-2")
    void shouldChooseTheLowestFreeAddress() {
        FakeUnit first = plugged("first", ScsiAddress.auto());
        FakeUnit second = plugged("second", ScsiAddress.auto());
        FakeUnit third = plugged("third", new ScsiAddress(0, ScsiAddress.AUTO));
        FakeUnit fourth = plugged("fourth", new ScsiAddress(ScsiAddress.AUTO, 1));

        assertThat(first.address()).isEqualTo(new ScsiAddress(0, 0));
        assertThat(second.address()).isEqualTo(new ScsiAddress(1, 0));
        assertThat(third.address()).isEqualTo(new ScsiAddress(0, 1));
        assertThat(fourth.address()).isEqualTo(new ScsiAddress(1, 1));
    }

    @Test
    @Rule("SCSI-2")
    void shouldSayWhenNothingIsFree() {
        for (int target = 0; target < 4; target++) {
            plugged("unit" + target, ScsiAddress.auto());
        }

        assertPlugFails(ScsiAddress.auto(), "no free target");
    }

    @Test
    @Rule("SCSI-3")
    void shouldNameTheOccupant() {
        plugged("first", new ScsiAddress(2, 5));

        assertPlugFails(new ScsiAddress(2, 5), "target 2, lun 5 is occupied by first");
    }

    @Test
    @Rule("SCSI-3")
    void shouldNameAnAddressThatIsBeyondTheBus() {
        FakeUnit unit = new FakeUnit(rig, "unit");

        assertThatThrownBy(() -> bus.plug(unit, new ScsiAddress(4, 0)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("target 4");
        assertThatThrownBy(() -> bus.plug(unit, new ScsiAddress(0, 16)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("lun 16");
        assertThatThrownBy(() -> new ScsiAddress(-2, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-2");
    }

    @Test
    void shouldRefuseToPlugAUnitTwice() {
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 0));

        CompletionStage<Void> again = bus.plug(unit, new ScsiAddress(0, 1));

        assertThatThrownBy(() -> again.toCompletableFuture().join())
                .hasMessageContaining("plugged already");
    }

    @Test
    @Rule("SCSI-8")
    void shouldListUnitsInAscendingOrder() {
        FakeUnit c = plugged("c", new ScsiAddress(1, 3));
        FakeUnit a = plugged("a", new ScsiAddress(0, 9));
        FakeUnit b = plugged("b", new ScsiAddress(1, 0));

        assertThat(bus.units()).containsExactly(a, b, c);
        assertThat(bus.units(1)).containsExactly(b, c);
        assertThat(bus.units(3)).isEmpty();
    }

    @Test
    @Rule("SCSI-37")
    @Rule("VSCSI-45")
    @Rule("SBUG-34")
    void shouldQueueTheConditionsBeforeTellingTheListeners() {
        FakeUnit old = plugged("old", new ScsiAddress(0, 0));
        bus.addListener(listener(old));

        FakeUnit unit = plugged("new", new ScsiAddress(1, 0));

        assertThat(events).containsExactly("added new at target 1, lun 0: "
                + List.of(Sense.UA_POWER_ON, Sense.UA_LUNS_CHANGED));
        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_POWER_ON);
    }

    @Test
    @Rule("SCSI-7")
    @Rule("PURGE-14")
    @Rule("VSCSI-46")
    @Rule("SBUG-8")
    void shouldUnpublishFirstThenPurgeThenTell() {
        FakeUnit other = plugged("other", new ScsiAddress(0, 0));
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 1));
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        other.clearUnitAttention(Sense.UA_POWER_ON);
        bus.addListener(listener(other));
        ScsiRequest request = executed(unit, rig.a, FakeUnit.WORK);

        CompletionStage<Void> unplug = bus.unplug(new ScsiAddress(0, 1));
        assertThat(bus.find(0, 1)).isNull();
        rig.settle();
        assertThat(Rig.isDone(unplug)).isFalse();
        assertThat(events).isEmpty();
        unit.workComesBack(request);
        rig.settle();

        assertThat(Rig.isDone(unplug)).isTrue();
        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.REMOVED);
        assertThat(events).containsExactly(
                "removed unit at target 0, lun 1: " + List.of(Sense.UA_LUNS_CHANGED));
        assertThat(unit.address()).isNull();
        assertThat(bus.removalsWithRequestsListed()).isEqualTo(1);
    }

    @Test
    @Rule("PURGE-17")
    void shouldAnswerAsRemovedWhatFoundTheUnitBeforeItLeft() {
        plugged("unit", new ScsiAddress(0, 1));
        LogicalUnit found = bus.find(0, 1);
        bus.unplug(new ScsiAddress(0, 1));
        rig.settle();

        ScsiRequest late = executed(found, rig.b, FakeUnit.READY);

        assertThat(hba.answerTo(late).cause()).isEqualTo(CancelCause.REMOVED);
        assertThat(bus.removalsWithRequestsListed()).isZero();
    }

    @Test
    void shouldPlugAUnitAgain() {
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 1));
        bus.unplug(new ScsiAddress(0, 1));
        rig.settle();

        CompletionStage<Void> plug = bus.plug(unit, new ScsiAddress(2, 2));
        rig.settle();

        assertThat(plug.toCompletableFuture()).isCompleted();
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        ScsiRequest request = executed(unit, rig.a, FakeUnit.READY);
        assertThat(hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
    }

    @Test
    void shouldUnplugInTheBlockingForm() {
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 1));
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        ScsiRequest request = executed(unit, rig.main, FakeUnit.STAY);

        bus.unplugBlocking(new ScsiAddress(0, 1));

        assertThat(hba.answerTo(request).cause()).isEqualTo(CancelCause.REMOVED);
        assertThat(bus.units()).isEmpty();
    }

    @Test
    @Rule("DRAIN-9")
    void shouldRefuseTheBlockingFormInAHookBeforeTheGuestSeesAnything() {
        ScsiAddress address = new ScsiAddress(0, 1);
        FakeUnit unit = plugged("unit", address);
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        bus.addListener(listener(unit));

        ControlWait.enterHook(rig.main);
        assertThatThrownBy(() -> bus.unplugBlocking(address))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("DRAIN-9");
        ControlWait.leaveHook(rig.main);

        assertThat(bus.find(0, 1)).isSameAs(unit);
        assertThat(unit.unitAttentions()).isEmpty();
        assertThat(events).isEmpty();
    }

    @Test
    @Rule("PURGE-14")
    void shouldKeepAUnitWhoseUnplugFailed() {
        ScsiAddress address = new ScsiAddress(0, 1);
        FakeUnit unit = plugged("unit", address);
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        bus.addListener(listener(unit));
        unit.drain.refuses = true;

        CompletionStage<Void> failed = bus.unplug(address);
        rig.settle();
        assertThatThrownBy(() -> failed.toCompletableFuture().join())
                .hasMessageContaining("cannot be drained");
        assertThatThrownBy(() -> bus.unplugBlocking(address))
                .hasMessageContaining("cannot be drained");

        assertThat(bus.find(0, 1)).isSameAs(unit);
        assertThat(unit.address()).isEqualTo(address);
        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
        assertThat(events).isEmpty();
        unit.clearUnitAttention(Sense.UA_RESET);
        ScsiRequest request = executed(unit, rig.a, FakeUnit.READY);
        assertThat(hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
        unit.drain.refuses = false;
        CompletionStage<Void> again = bus.unplug(address)
                .thenCompose(gone -> bus.plug(unit, new ScsiAddress(2, 2)));
        rig.settle();
        assertThat(again.toCompletableFuture()).isCompleted();
        assertThat(unit.address()).isEqualTo(new ScsiAddress(2, 2));
    }

    @Test
    @Rule("SCSI-3")
    @Rule("VSCSI-46")
    void shouldKeepAnAddressTakenUntilItsUnitHasLeft() {
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 0));
        unit.clearUnitAttention(Sense.UA_POWER_ON);
        ScsiRequest request = executed(unit, rig.a, FakeUnit.WORK);
        CompletionStage<Void> unplug = bus.unplug(new ScsiAddress(0, 0));
        rig.settle();

        assertPlugFails(new ScsiAddress(0, 0), "target 0, lun 0 is occupied by unit");
        assertThat(plugged("next", ScsiAddress.auto()).address())
                .isEqualTo(new ScsiAddress(1, 0));
        unit.workComesBack(request);
        rig.settle();

        assertThat(Rig.isDone(unplug)).isTrue();
        assertThat(plugged("last", ScsiAddress.auto()).address())
                .isEqualTo(new ScsiAddress(0, 0));
    }

    @Test
    void shouldPlugAUnitWhenAResetOfItHasEnded() {
        FakeUnit unit = plugged("unit", new ScsiAddress(0, 0));
        bus.unplugBlocking(new ScsiAddress(0, 0));

        CompletionStage<Void> reset = unit.resetAsync();
        CompletionStage<Void> plug = bus.plug(unit, new ScsiAddress(0, 0));
        assertThat(Rig.isDone(plug)).isFalse();
        rig.settle();

        assertThat(reset.toCompletableFuture()).isCompleted();
        assertThat(plug.toCompletableFuture()).isCompleted();
        assertThat(bus.find(0, 0)).isSameAs(unit);
    }

    @Test
    void shouldNameAnAddressWithoutAUnit() {
        CompletionStage<Void> unplug = bus.unplug(new ScsiAddress(3, 3));

        assertThatThrownBy(() -> unplug.toCompletableFuture().join())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing at target 3, lun 3");
        assertThatThrownBy(() -> bus.unplugBlocking(new ScsiAddress(3, 3)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing at target 3, lun 3");
    }

    @Test
    @Rule("SCSI-6")
    void shouldPlugFromAnyThread() {
        FakeUnit unit = new FakeUnit(rig, "unit");

        CompletionStage<Void> plug = CompletableFuture
                .supplyAsync(() -> bus.plug(unit, new ScsiAddress(0, 0))).join();
        assertThat(bus.find(0, 0)).isNull();
        rig.settle();

        assertThat(plug.toCompletableFuture()).isCompleted();
        assertThat(bus.find(0, 0)).isSameAs(unit);
    }

    @Test
    void shouldRefuseAUnitOfAnotherMachine() {
        ScsiBus elsewhere = new ScsiBus(rig.a, ScsiBusConfig.largest());

        assertThatThrownBy(() -> elsewhere.plug(new FakeUnit(rig, "unit"), ScsiAddress.auto()))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("main");
    }

    private FakeUnit plugged(String name, ScsiAddress address) {
        FakeUnit unit = new FakeUnit(rig, name);
        bus.plug(unit, address).toCompletableFuture().join();
        return unit;
    }

    private void assertPlugFails(ScsiAddress address, String message) {
        CompletionStage<Void> plug = bus.plug(new FakeUnit(rig, "late"), address);

        assertThatThrownBy(() -> plug.toCompletableFuture().join())
                .hasCauseInstanceOf(IllegalStateException.class).hasMessageContaining(message);
    }

    private ScsiRequest executed(LogicalUnit unit, AioContext home, int... cdb) {
        ScsiRequest request = hba.request(home, cdb);
        unit.execute(request);
        return request;
    }

    private BusListener listener(LogicalUnit watched) {
        return new BusListener() {
            @Override
            public void unitAdded(LogicalUnit unit, ScsiAddress address) {
                note("added ", unit, address);
            }

            @Override
            public void unitRemoved(LogicalUnit unit, ScsiAddress address) {
                note("removed ", unit, address);
            }

            private void note(String what, LogicalUnit unit, ScsiAddress address) {
                events.add(what + unit.name() + " at " + address + ": "
                        + watched.unitAttentions());
            }
        };
    }
}
