package dev.quiesce.examples;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/**
 * What loops do for the rest of a machine: an IOThread that serves the queues of a device, time
 * that the machine may stop, a console, and a main loop that sleeps while the CPU is halted.
 *
 * <pre>{@code
 * java -cp examples/target/quiesce.jar dev.quiesce.examples.LoopExample
 * }</pre>
 */
public final class LoopExample {
    private static final int QUEUES = 2;
    private static final int RAM_BYTES = 1 << 20;
    private static final int RTC_IRQ = 8;
    private static final long TICK_NANOS = 1_000_000;

    private final Pipe.SourceChannel socket;
    private final BooleanSupplier cpu;
    private final IntConsumer interrupts;
    private boolean running = true;

    /**
     * Makes a machine that runs until a "q" is typed at its console.
     *
     * @param socket its console, in non-blocking mode
     * @param cpu runs the guest for a while; false if that is halted
     * @param interrupts interrupts the guest, given the number of a line
     */
    LoopExample(Pipe.SourceChannel socket, BooleanSupplier cpu, IntConsumer interrupts) {
        this.socket = socket;
        this.cpu = cpu;
        this.interrupts = interrupts;
    }

    void run() {
        LoopSeams seams = LoopSeams.system();
        AioContext main = new AioContext("main", seams);
        Lease lease = main.acquire();               // this thread is control from now on
        VirtioScsi hba = VirtioScsi.create(VirtioScsiConfig.of("scsi0", QUEUES),
                new ScsiBus(main, ScsiBusConfig.largest()), GuestRam.direct(0, RAM_BYTES),
                new GuestInterrupts());
        IoThread.Group threads = new IoThread.Group();
        IoThread io = threads.start(                // with a pool of its own, 0 to 64 threads
                IoThreadConfig.withOwnPool("io0", threadsOf("io0"), seams));
        hba.startDataplane(QueueMapping.roundRobin(List.of(io.context()), QUEUES));
        runUntilOff(main);
        EmbeddingExample.await(main, hba.closeAsync());
        threads.close();
        main.close();                               // refused if anything is left in it
        lease.close();
    }

    /** Makes the thread of a loop, and those of its pool; a thread dump tells them apart. */
    static ThreadFactory threadsOf(String loop) {
        AtomicInteger made = new AtomicInteger();
        return job -> new Thread(job, loop + "-" + made.getAndIncrement());
    }

    private void runUntilOff(AioContext main) {
        MachineClock vmTime = MachineClock.paced("vm", Clock.Kind.VIRTUAL, main.clock());
        LoopTimer rtc = new LoopTimer(main, vmTime, "rtc", () -> interrupts.accept(RTC_IRQ));
        rtc.armAt(vmTime.nanoTime() + TICK_NANOS);  // of the machine's time
        vmTime.start();                             // "cont"; stop() and set(): any thread
        ChannelHandler console = ChannelHandler.attach( // a non-blocking channel, served here
                main, "console", socket, () -> running = !isOff(socket), null);
        while (running) {                           // a kick, a post, a timer, a wake ends a poll
            main.poll(cpu.getAsBoolean() ? 0 : Long.MAX_VALUE);
        }
        console.detach();
        rtc.cancel();
    }

    /** Whether somebody has switched the machine off, or gone. */
    private static boolean isOff(ReadableByteChannel console) {
        ByteBuffer typed = ByteBuffer.allocate(1);
        try {
            return console.read(typed) < 0 || typed.get(0) == 'q';
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * Runs a machine whose guest halts, and switches itself off when its clock interrupts it.
     *
     * @param arguments none
     * @throws IOException if there is no pipe to be had
     */
    public static void main(String[] arguments) throws IOException {
        Usage.check(LoopExample.class, arguments);
        Pipe pipe = Pipe.open();
        try (var source = pipe.source(); var sink = pipe.sink()) {
            source.configureBlocking(false);
            new LoopExample(source, () -> false, irq -> {
                System.out.println("interrupt " + irq);
                try {
                    sink.close(); // The console goes, and the machine with it.
                } catch (IOException e) {
                    throw new IllegalStateException("a pipe that cannot be closed", e);
                }
            }).run();
        }
    }
}
