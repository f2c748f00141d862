package dev.quiesce.virtio.scsi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Wire formats of virtio-scsi (VirtIO 1.2, 5.6.6), little-endian, offsets in bytes.
 *
 * <pre>
 * command    0 lun[8]   8 tag u64  16 task_attr u8  17 prio u8  18 crn u8  19 cdb[cdb_size]   then
 * data-out response   0 sense_len u32  4 residual u32  8 status_qualifier u16  10 status u8  11
 * response u8
 *           12 sense[sense_size]                                                             then
 *           data-in
 * control    0 type u32
 *   TMF      4 subtype u32  8 lun[8]  16 tag u64                     answer: 0 response u8 AN
 *   4 lun[8]  12 event_requested u32                        answer: 0 event_actual u32  4 response
 *   u8
 * event      0 event u32  4 lun[8]  12 reason u32
 * </pre>
 */
final class ScsiLayout {
    static final int COMMAND_LUN = 0;
    static final int COMMAND_TAG = 8;
    static final int COMMAND_CDB = 19;

    static final int RESPONSE_SENSE_LENGTH = 0;
    static final int RESPONSE_RESIDUAL = 4;
    static final int RESPONSE_STATUS = 10;
    static final int RESPONSE_CODE = 11;
    static final int RESPONSE_SENSE = 12;

    static final int CONTROL_TYPE_TMF = 0;
    static final int CONTROL_TYPE_AN_QUERY = 1;
    static final int CONTROL_TYPE_AN_SUBSCRIBE = 2;
    static final int TMF_SUBTYPE = 4;
    static final int TMF_LUN = 8;
    static final int TMF_TAG = 16;
    static final int TMF_LENGTH = 24;
    static final int AN_LENGTH = 16;
    static final int AN_ANSWER_LENGTH = 5;

    static final int EVENT_LENGTH = 16;

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private ScsiLayout() {
    }

    static int int32(byte[] bytes, int offset) {
        return (int) INT.get(bytes, offset);
    }

    static void int32(byte[] bytes, int offset, int value) {
        INT.set(bytes, offset, value);
    }

    static long int64(byte[] bytes, int offset) {
        return (long) LONG.get(bytes, offset);
    }
}
