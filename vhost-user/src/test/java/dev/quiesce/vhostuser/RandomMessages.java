package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.function.Consumer;

/** Streams of messages that are mostly well-formed and mean anything, from a seed. */
final class RandomMessages {
    private static final int[] REQUESTS =
            {1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 24, 25, 31, 32, 34,
                    36, 37, 38, 99};
    private static final int MESSAGES_MAX = 30;
    private static final long[] TELLING =
            {0, 1, -1, 127, 128, 1 << 20, 1L << 32, 1L << 30, 0x1_7000_0006L, Long.MAX_VALUE,
                    Long.MIN_VALUE, SharedRam.GUEST_ADDRESS,
                    SharedRam.GUEST_ADDRESS + SharedRam.USER_OFFSET};

    private RandomMessages() {
    }

    static void send(Random random, FrontEnd frontEnd, SharedRam ram, Wire wire)
            throws IOException {
        if (random.nextBoolean()) {
            begin(frontEnd, ram);
        }
        int count = random.nextInt(MESSAGES_MAX);
        for (int i = 0; i < count; i++) {
            int request = REQUESTS[random.nextInt(REQUESTS.length)];
            int flags = random.nextInt(50) == 0 ? random.nextInt()
                    : random.nextInt(4) == 0 ? 9 : 1;
            frontEnd.sendRaw(request, flags, payload(random, request),
                    descriptors(random, request, ram, wire));
        }
        if (random.nextBoolean()) {
            byte[] rest = new byte[random.nextInt(40)];
            random.nextBytes(rest);
            frontEnd.sendBytes(rest);
        }
    }

    /** As far as rings that could run. */
    private static void begin(FrontEnd frontEnd, SharedRam ram) throws IOException {
        frontEnd.send(2, payload -> payload.putLong(0x1_7000_0006L));
        frontEnd.send(37, payload -> {
            payload.putLong(0);
            ram.region().encode(payload);
        }, ram.descriptor());
        for (int i = 0; i < 3; i++) {
            long at = ram.region().userAddress() + (i << 16);
            frontEnd.send(8, Machine.state(i, 128)::encode);
            frontEnd.send(9,
                    new Payload.VringAddress(i, 0, at, at + 8192, at + 4096, 0)::encode);
            frontEnd.send(18, Machine.state(i, 1)::encode);
        }
    }

    private static Consumer<ByteBuffer> payload(Random random, int request) {
        int bytes = switch (request) {
            case 1, 3, 4, 15, 17, 34, 36 -> 0;
            case 5 -> 8 + 32 * random.nextInt(9);
            case 9, 37, 38 -> 40;
            case 31, 32 -> 20;
            case 24, 25 -> 12 + random.nextInt(60);
            default -> 8;
        };
        int wrong = random.nextInt(40) == 0 ? random.nextInt(100) : bytes;
        return payload -> {
            while (payload.position() + Integer.BYTES <= wrong) {
                put(random, payload, wrong);
            }
            while (payload.position() < wrong) {
                payload.put((byte) random.nextInt());
            }
        };
    }

    private static void put(Random random, ByteBuffer payload, int bytes) {
        boolean wide = random.nextBoolean() && payload.position() + Long.BYTES <= bytes;
        if (wide) {
            payload.putLong(TELLING[random.nextInt(TELLING.length)]);
        } else {
            payload.putInt(random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(5));
        }
    }

    private static FileDescriptor[] descriptors(
            Random random, int request, SharedRam ram, Wire wire) throws IOException {
        FileDescriptor[] some = {ram.descriptor(), wire.readEnd(), wire.writeEnd()};
        int count = switch (request) {
            case 12, 13, 14, 21, 32, 37 -> random.nextInt(10) == 0 ? random.nextInt(4) : 1;
            case 5 -> random.nextInt(9);
            default -> random.nextInt(20) == 0 ? random.nextInt(12) : 0;
        };
        FileDescriptor[] chosen = new FileDescriptor[count];
        for (int i = 0; i < count; i++) {
            chosen[i] = some[random.nextInt(some.length)];
        }
        return chosen;
    }
}
