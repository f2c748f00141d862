package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The main job: build the machine, let the guest probe and compare, let the storm rage, count.
 *
 * <p>The calling thread owns the main context. With IOThreads the guest has a vCPU thread of its
 * own and a third thread reads the backends' contexts; without, the guest and the machine take
 * turns on the calling thread, and the same seed gives the same sequence of events.
 */
final class Demo {
    private static final long LIMIT_NANOS = 60_000_000_000L;

    /** How long an answer may take before that is reported. */
    static final long LATE_NANOS = 5_000_000_000L;
    private static final long TICK_NANOS = 1_000_000;
    private static final int LOOK_AT_LEDGER_STEPS = 512;
    private static final int RESTARTS_PER_SECOND_TICKS = 500;
    private static final int RESTART_STEPS = 2_000;
    private static final int CHECK_COMMANDS = 8;
    private static final int SESSION_BYTES = 8192;
    private static final int RAM_SLACK_BYTES = 8 << 20;

    private final DemoConfig config;
    private final long lateNanos;
    private final BooleanSupplier stopWanted;
    private final PrintWriter log;
    private final PrintWriter err;
    private final boolean progress;
    private final DemoResult result = new DemoResult();
    private final EventHash events = new EventHash();
    private final AtomicReference<Throwable> guestFailure = new AtomicReference<>();
    private volatile Phase phase = Phase.PREPARING; // Set by the guest.
    private volatile @Nullable GuestStorm storm; // Set by the guest, once.
    private volatile @Nullable ControlStorm controlStorm; // Set by control, once.
    private long stormNanos; // Guest, then control after the guest has ended.

    Demo(DemoConfig config, BooleanSupplier stopWanted, PrintWriter log, PrintWriter err,
            long lateNanos) {
        this.config = config;
        this.lateNanos = lateNanos;
        this.stopWanted = stopWanted;
        this.log = log;
        this.err = err;
        progress = log != err;
    }

    /**
     * Runs the demo.
     *
     * @return what it counted, and what failed
     * @throws IOException if it could not begin, because of the image
     */
    DemoResult run() throws IOException, InterruptedException {
        int ramBytes = RAM_SLACK_BYTES
                + GuestStorm.ramBytes(config) + ImageCheck.ramBytes(CHECK_COMMANDS);
        DemoMachine machine = new DemoMachine(config, ramBytes, this::onError);
        try (FileChannel content = FileChannel.open(config.image(), StandardOpenOption.READ)) {
            runMachine(machine, content);
        } finally {
            takeDown(machine);
        }
        return result;
    }

    /** How many context changes began with requests in flight so far. Any thread. */
    long changesWithInFlight() {
        ControlStorm control = controlStorm;
        return control == null ? 0 : control.changesWithInFlight();
    }

    private void runMachine(DemoMachine machine, FileChannel content) throws InterruptedException {
        ControlStorm control = new ControlStorm(machine, config, events,
                config.isSingleThreaded() ? RESTART_STEPS : RESTARTS_PER_SECOND_TICKS);
        controlStorm = control;
        machine.hba().startDataplane(control.fixed());
        GuestScsi driver = new GuestScsi(machine.hba(), machine.ram(),
                GuestScsiConfig.likeLinux(), machine.main().clock());
        LedgerWatch watch = new LedgerWatch(machine, driver.ledger(), lateNanos, this::report);
        ContextReader reader = new ContextReader(machine, control, watch);
        if (config.isSingleThreaded()) {
            try {
                runOnOneThread(machine, control, driver, watch, content);
            } catch (IOException | RuntimeException e) {
                guestFailure.set(e);
            }
        } else {
            runOnThreads(machine, control, driver, reader, content);
        }
        watch.look();
        collect(machine, control, driver, reader);
    }

    private void runOnOneThread(DemoMachine machine, ControlStorm control, GuestScsi driver,
            LedgerWatch watch, FileChannel content) throws IOException {
        Clock clock = machine.main().clock();
        GuestMachine waiting = GuestMachine.single(machine.main());
        GuestStorm guest = prepareGuest(machine, driver, waiting, content);
        StormProgress bar = StormProgress.of(progress, config);
        long begun = clock.nanoTime();
        long deadline = begun + config.seconds() * 1_000_000_000L;
        while (!isOver(clock, deadline, guest)) {
            driver.poll();
            guest.step();
            control.tick();
            machine.main().poll(0);
            bar.show(clock);
            if (guest.steps() % LOOK_AT_LEDGER_STEPS == 0) {
                watch.look();
            }
        }
        stormNanos = clock.nanoTime() - begun;
        guest.end();
        control.end();
        waiting.await(driver, () -> {
            control.tick();
            watch.look();
            return guest.isQuiet() && control.isQuiet();
        }, LIMIT_NANOS);
        bar.close();
        guest.close();
    }

    private void runOnThreads(DemoMachine machine, ControlStorm control, GuestScsi driver,
            ContextReader reader, FileChannel content) throws InterruptedException {
        Clock clock = machine.main().clock();
        Thread vcpu = new Thread(() -> runGuest(machine, driver, content), "vcpu");
        Thread foreign = new Thread(reader, "context-reader");
        vcpu.start();
        foreign.start();
        StormProgress bar = StormProgress.of(progress, config);
        long tickAt = clock.nanoTime();
        while (phase != Phase.ENDED) {
            machine.main().poll(TICK_NANOS);
            if (phase == Phase.STORMING && clock.nanoTime() - tickAt >= 0) {
                control.tick();
                tickAt = clock.nanoTime() + TICK_NANOS;
                bar.show(clock);
            }
            if (phase == Phase.ENDING) {
                control.end(); // The guest is waiting for its last answers: let every section end.
                control.tick();
            }
        }
        control.end();
        long deadline = clock.nanoTime() + LIMIT_NANOS;
        while (!control.isQuiet() && clock.nanoTime() - deadline < 0) {
            control.tick();
            machine.main().poll(TICK_NANOS);
        }
        bar.close();
        reader.stop();
        foreign.join();
        vcpu.join();
    }

    /** The vCPU's life. */
    private void runGuest(DemoMachine machine, GuestScsi driver, FileChannel content) {
        try {
            Clock clock = machine.main().clock();
            GuestMachine waiting = GuestMachine.threaded(machine.interrupts(), clock);
            GuestStorm guest = prepareGuest(machine, driver, waiting, content);
            long begun = clock.nanoTime();
            long deadline = begun + config.seconds() * 1_000_000_000L;
            phase = Phase.STORMING;
            while (!isOver(clock, deadline, guest)) {
                guest.step();
                boolean nothingNew = driver.poll() == 0 && !driver.enableInterrupts();
                if (nothingNew && !machine.interrupts().take()) {
                    machine.interrupts().await(GuestMachine.LOOK_AGAIN_NANOS);
                }
            }
            guest.end();
            stormNanos = clock.nanoTime() - begun;
            phase = Phase.ENDING;
            waiting.await(driver, guest::isQuiet, LIMIT_NANOS);
            guest.close();
        } catch (IOException | RuntimeException | Error e) {
            guestFailure.set(e);
        } finally {
            phase = Phase.ENDED;
            machine.main().wake();
        }
    }

    private boolean isOver(Clock clock, long deadline, GuestStorm guest) {
        return stopWanted.getAsBoolean() || clock.nanoTime() - deadline >= 0
                || guest.steps() >= config.steps();
    }

    /** Brings the device up, probes the bus, compares every disk with the image. */
    private GuestStorm prepareGuest(DemoMachine machine, GuestScsi driver, GuestMachine waiting,
            FileChannel content) throws IOException {
        GuestSession.begin(driver, waiting, LIMIT_NANOS);
        List<FoundDisk> disks;
        try (GuestSession session = new GuestSession(driver, waiting, SESSION_BYTES, LIMIT_NANOS)) {
            disks = new GuestProbe(session).scan(machine.bus().config().targetMax());
        }
        for (FoundDisk disk : disks) {
            log.println(disk.describe());
        }
        log.flush();
        if (disks.size() != config.luns()) {
            throw new IllegalStateException("found " + disks.size() + " disks of " + config.luns());
        }
        GuestStorm guest = new GuestStorm(driver, config, disks, content, events);
        storm = guest;
        compare(driver, waiting, disks, content.size());
        return guest;
    }

    private void compare(GuestScsi driver, GuestMachine waiting, List<FoundDisk> disks, long bytes)
            throws IOException {
        byte[] file = sha256(config.image());
        boolean matches = true;
        try (ImageCheck check =
                new ImageCheck(driver, waiting, CHECK_COMMANDS, stopWanted)) {
            for (FoundDisk disk : disks) {
                byte[] read = check.sha256(disk, bytes);
                if (stopWanted.getAsBoolean()) {
                    return; // Neither digest need be whole.
                }
                boolean same = MessageDigest.isEqual(file, read);
                matches &= same;
                log.println("0:0:" + disk.target() + ":" + disk.lun() + ": SHA-256 of " + bytes
                        + " bytes " + HexFormat.of().formatHex(read).substring(0, 16) + "... "
                        + (same ? "matches" : "DIFFERS from") + " the file");
            }
        }
        log.flush();
        result.compared(matches);
    }

    private void collect(DemoMachine machine, ControlStorm control, GuestScsi driver,
            ContextReader reader) {
        GuestStorm guest = storm;
        Throwable failure = guestFailure.get();
        if (failure != null) {
            result.fail("guest: " + failure);
        }
        if (guest != null) {
            new DemoCounters(machine, control, driver, reader, guest, stormNanos)
                    .fill(result, events);
            guest.mismatches().forEach(result::fail);
        }
        control.failures().stream().limit(10).forEach(result::fail);
        reader.failures().forEach(result::fail);
        driver.ledger().breaches().stream().limit(10).forEach(result::fail); // Not what was late.
        result.judge(config, stormNanos / 1e9, stopWanted.getAsBoolean());
    }

    private void onError(AioContext context, String site, Throwable cause) {
        report(context.name() + ": " + site + ": " + cause);
    }

    /** Reports something at once; any thread. */
    private void report(String what) {
        err.println("demo: " + what.replace('\n', ' '));
        err.flush();
    }

    private void takeDown(DemoMachine machine) {
        try {
            machine.close();
        } catch (RuntimeException e) {
            result.fail("the machine cannot be taken down: " + e.getMessage());
        }
    }

    private byte[] sha256(Path image) throws IOException {
        MessageDigest digest = ImageCheck.newDigest();
        byte[] buffer = new byte[1 << 18];
        try (InputStream in = Files.newInputStream(image)) {
            for (int n = in.read(buffer); n >= 0 && !stopWanted.getAsBoolean();
                    n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return digest.digest();
    }

    /** How far the guest is. */
    private enum Phase { PREPARING, STORMING, ENDING, ENDED }
}
