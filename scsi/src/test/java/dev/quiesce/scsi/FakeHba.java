package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.block.IoVector;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** An adapter that pushes answers at once and publishes them at the end of the slice. */
public final class FakeHba implements HostAdapter {
    /** One answer; status is null if it was cancelled, cause if it was not. */
    public record Answer(
            long tag, ScsiStatus status, Sense sense, CancelCause cause, long residual,
            List<Byte> senseData) {}

    /** Answers in the order in which they were pushed, and those that were published. */
    public final List<Answer> pushed = new ArrayList<>();
    public final List<Answer> published = new ArrayList<>();

    /** What else happens when an answer comes. */
    public Consumer<ScsiRequest> onAnswer = request -> {};

    private final Map<AioContext, Publish> publishers = new HashMap<>();
    private long nextTag = 1;

    /** Makes a prepared request without data. */
    public ScsiRequest request(AioContext home, int... cdb) {
        return new ScsiRequest(this).prepare(home, nextTag++, bytes(cdb), cdb.length);
    }

    /** Makes a prepared request with data; room for what comes back is in the returned vectors. */
    public ScsiRequest request(AioContext home, byte[] out, int inBytes, int... cdb) {
        IoVector dataOut = new IoVector();
        IoVector dataIn = new IoVector();
        dataOut.add(ByteBuffer.wrap(out), 0, out.length);
        byte[] room = new byte[inBytes];
        Arrays.fill(room, (byte) 0xEE);
        dataIn.add(ByteBuffer.wrap(room), 0, inBytes);
        return request(home, cdb).withData(dataOut, dataIn);
    }

    public Answer answerTo(ScsiRequest request) {
        return answerTo(request.tag());
    }

    public Answer answerTo(long tag) {
        List<Answer> mine = pushed.stream().filter(answer -> answer.tag() == tag).toList();
        if (mine.size() != 1) {
            throw new AssertionError(mine.size() + " answers to " + tag + ": " + mine);
        }
        return mine.get(0);
    }

    public boolean hasAnswered(ScsiRequest request) {
        return pushed.stream().anyMatch(answer -> answer.tag() == request.tag());
    }

    public boolean hasPublished(ScsiRequest request) {
        return published.stream().anyMatch(answer -> answer.tag() == request.tag());
    }

    public static byte[] dataIn(ScsiRequest request, int length) {
        byte[] data = new byte[length];
        request.dataIn().copyTo(0, data, 0, length);
        return data;
    }

    public static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Override
    public void complete(ScsiRequest request) {
        byte[] sense = new byte[Sense.DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES];
        int length = request.encodeSense(sense);
        List<Byte> data = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            data.add(sense[i]);
        }
        push(request, new Answer(request.tag(), request.status(), request.sense(), null,
                request.residualBytes(), data));
    }

    @Override
    public void cancelled(ScsiRequest request) {
        push(request, new Answer(request.tag(), null, null, request.cancelCause(), 0, List.of()));
    }

    private void push(ScsiRequest request, Answer answer) {
        pushed.add(answer);
        Publish publisher = publishers.computeIfAbsent(request.home(), home -> new Publish());
        publisher.due.add(answer);
        request.home().deferCall(publisher);
        onAnswer.accept(request);
    }

    private final class Publish extends DeferredCall {
        private final List<Answer> due = new ArrayList<>();

        @Override
        protected void run() {
            published.addAll(due);
            due.clear();
        }
    }
}
