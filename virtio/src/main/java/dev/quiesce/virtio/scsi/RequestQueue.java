package dev.quiesce.virtio.scsi;

import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.DataDirection;
import dev.quiesce.scsi.spec.LunAddress;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.virtio.dataplane.QueueClient;
import dev.quiesce.virtio.dataplane.QueuePump;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.queue.Chain;
import java.util.Arrays;
import java.util.Objects;

/**
 * A request queue: turns popped chains into SCSI requests and their outcomes into responses.
 *
 * <p>Confined to the context that serves the queue. The way of a command: {@link #onChain}, {@link
 * #begin}, {@code LogicalUnit.execute}, {@link #complete} or {@link #cancelled}, {@link #respond}.
 */
final class RequestQueue implements QueueClient, HostAdapter {
    private static final int SENSE_BYTES_MAX = Sense.STORED_LENGTH_BYTES_MAX;

    private final VirtioScsi device;
    private final QueuePump pump;
    private final Command[] commands;
    private final byte[] header = new byte[ScsiLayout.COMMAND_CDB];
    private final byte[] senseBytes = new byte[SENSE_BYTES_MAX];
    private byte[] response =
            new byte[ScsiLayout.RESPONSE_SENSE + ScsiConfigSpace.SENSE_SIZE_DEFAULT];

    RequestQueue(VirtioScsi device, int queueIndex) {
        this.device = device;
        pump = new QueuePump(device, queueIndex, this);
        commands = new Command[device.queueSizeMax()];
    }

    QueuePump pump() {
        return pump;
    }

    @Override
    public Chain onChain(int head, Chain popped) {
        Command command = command(head);
        Chain former = command.exchange(popped);
        begin(command);
        return former;
    }

    @Override
    public void onRetired() {
        for (Command command : commands) {
            if (command != null) {
                command.forgetMemory();
            }
        }
    }

    private Command command(int head) {
        Command command = commands[head];
        if (command == null) {
            command = new Command(head, this);
            commands[head] = command;
        }
        return command;
    }

    private void begin(Command command) {
        long sizes = device.configSpace().sizes();
        int cdbSize = ScsiConfigSpace.cdbSize(sizes);
        int requestHeader = ScsiLayout.COMMAND_CDB + cdbSize;
        int responseHeader = ScsiLayout.RESPONSE_SENSE + ScsiConfigSpace.senseSize(sizes);
        Chain chain = command.chain();
        if (!ScsiConfigSpace.isAcceptable(sizes)
                || chain.readableBytes() < requestHeader
                || chain.writableBytes() < responseHeader) {
            device.markBroken(pump.describe() + ": headers do not fit (VSCSI-14, MAL-23)", null);
            pump.push(command.head, 0);
            return;
        }
        command.senseSizeBytes = ScsiConfigSpace.senseSize(sizes);
        chain.copyFromReadable(0, header, 0, ScsiLayout.COMMAND_CDB);
        chain.copyFromReadable(ScsiLayout.COMMAND_CDB, command.cdb, 0, cdbSize);
        command.mapData(requestHeader, responseHeader);
        dispatch(command, cdbSize);
    }

    private void dispatch(Command command, int cdbSize) {
        if (command.dataOut.bytes() > 0 && command.dataIn.bytes() > 0) {
            answer(command, ResponseCode.FAILURE); // VSCSI-15
            return;
        }
        command.request
                .prepare(pump.home(), ScsiLayout.int64(header, ScsiLayout.COMMAND_TAG),
                        command.cdb, cdbSize)
                .withData(command.dataOut, command.dataIn);
        int address = LunAddress.decode(header, ScsiLayout.COMMAND_LUN);
        if (address == LunAddress.INVALID) {
            answer(command, ResponseCode.BAD_TARGET);
        } else if (address == LunAddress.REPORT_LUNS_WELL_KNOWN) {
            device.bus().targetCommands().executeWellKnown(command.request, 0);
        } else {
            execute(command, LunAddress.target(address), LunAddress.lun(address));
        }
    }

    private void execute(Command command, int target, int lun) {
        LogicalUnit unit = device.bus().find(target, lun);
        if (unit == null) {
            executeAbsent(command, target, lun);
        } else {
            execute(command, unit);
        }
    }

    private void execute(Command command, LogicalUnit unit) {
        if (fits(unit, command.request)) {
            unit.execute(command.request);
        } else {
            answer(command, ResponseCode.OVERRUN);
        }
    }

    /** One look at the target's units: between two looks a unit may come or go. */
    private void executeAbsent(Command command, int target, int lun) {
        boolean inhabited = false;
        for (LogicalUnit unit : device.bus().units(target)) {
            ScsiAddress address = unit.address();
            if (address != null && address.lun() == lun) {
                execute(command, unit);
                return;
            }
            inhabited |= address != null;
        }
        if (inhabited) {
            device.bus().targetCommands().executeAbsent(command.request, target, lun);
        } else {
            answer(command, ResponseCode.BAD_TARGET);
        }
    }

    /** Whether the buffers can hold what the CDB asks to move (VSCSI-17). */
    private static boolean fits(LogicalUnit unit, ScsiRequest request) {
        if (request.parse(unit.blockSizeBytes()) != null) {
            return true; // The unit answers what is wrong with it.
        }
        Cdb cdb = request.cdb();
        DataDirection direction = cdb.direction();
        long buffer = direction == DataDirection.TO_DEVICE
                ? request.dataOut().bytes() : request.dataIn().bytes();
        return direction == DataDirection.NONE || cdb.transferBytes() <= buffer;
    }

    @Override
    public void complete(ScsiRequest request) {
        Command command = record(request);
        int senseLength = 0;
        clearResponse(command);
        Sense sense = request.sense();
        if (sense != null) {
            senseLength = Math.min(request.encodeSense(senseBytes), command.senseSizeBytes);
            System.arraycopy(senseBytes, 0, response, ScsiLayout.RESPONSE_SENSE, senseLength);
        }
        ScsiLayout.int32(response, ScsiLayout.RESPONSE_SENSE_LENGTH, senseLength);
        ScsiLayout.int32(response, ScsiLayout.RESPONSE_RESIDUAL, (int) request.residualBytes());
        response[ScsiLayout.RESPONSE_STATUS] = (byte) request.status().code();
        respond(command, command.dataOut.bytes() == 0 ? request.movedBytes() : 0);
    }

    @Override
    public void cancelled(ScsiRequest request) {
        int code = switch (request.cancelCause()) {
            case ABORT -> ResponseCode.ABORTED;
            case RESET -> ResponseCode.RESET;
            case REMOVED -> ResponseCode.BAD_TARGET;
        };
        answer(record(request), code);
    }

    private static Command record(ScsiRequest request) {
        Object data = request.hbaData;
        assert data instanceof Command : request;
        return (Command) Objects.requireNonNull(data);
    }

    /** Answers a command that was not executed. */
    private void answer(Command command, int code) {
        clearResponse(command);
        long asked = command.dataOut.bytes() + command.dataIn.bytes();
        ScsiLayout.int32(response, ScsiLayout.RESPONSE_RESIDUAL, (int) asked);
        response[ScsiLayout.RESPONSE_CODE] = (byte) code;
        respond(command, 0);
    }

    /** Zeroes, so that unused sense bytes say nothing (VSCSI-22). */
    private void clearResponse(Command command) {
        int length = ScsiLayout.RESPONSE_SENSE + command.senseSizeBytes;
        if (response.length < length) {
            response = new byte[length]; // Once per size that a driver chooses.
        }
        Arrays.fill(response, 0, length, (byte) 0);
    }

    private void respond(Command command, long movedInBytes) {
        int length = ScsiLayout.RESPONSE_SENSE + command.senseSizeBytes;
        if (!device.isBroken()) {
            try {
                command.surfaceFaults();
                command.chain().copyToWritable(0, response, 0, length);
            } catch (GuestMemoryFault | InternalError e) {
                device.markBroken(pump.describe() + ": guest memory failed under a response", e);
            }
        }
        long written = length + movedInBytes; // VSCSI-21
        pump.push(command.head, (int) Math.min(Integer.MAX_VALUE, written));
    }
}
