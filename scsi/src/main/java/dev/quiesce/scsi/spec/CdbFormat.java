package dev.quiesce.scsi.spec;

import java.util.HexFormat;

/**
 * The table of SCSI commands: for each opcode, and service action where there is one, the length of
 * the CDB, the rule for its data phase, the options in its byte 1, and which of its bits this
 * device understands (CMD-1 to CMD-5, CMD-87).
 *
 * <p>The table knows more commands than a disk has to execute, so that the data phase of a command
 * that is refused is still derived correctly. An opcode that is not listed is {@link #UNKNOWN}:
 * rather than guessing a direction (CMD-5), it has no data phase, nothing can mismatch, and the
 * device answers {@link Sense#INVALID_OPCODE}. Commands of CD drives and ATA PASS-THROUGH are not
 * listed.
 *
 * <p>A format whose {@link #serviceAction()} is absent although it {@link #hasServiceAction()}
 * stands for every service action of its opcode that has no constant of its own.
 *
 * <p>Any thread; immutable. Lookups allocate nothing.
 */
public enum CdbFormat {
    /**
     * Any opcode that this table does not list: no data phase is assumed, so that the device gets
     * to refuse it.
     */
    UNKNOWN(CdbFormat.NONE, CdbFormat.NONE, TransferRule.NO_DATA, 0, ""),
    /** TEST UNIT READY. */
    TEST_UNIT_READY(0x00, TransferRule.NO_DATA, 0, "00 00 000000 00"),
    /** REQUEST SENSE. */
    REQUEST_SENSE(0x03, TransferRule.PARAMETERS_IN, 0, "03 01 0000 FF 00"),
    /** FORMAT UNIT; the header is sized as for disks. */
    FORMAT_UNIT(0x04, TransferRule.FORMAT_HEADER, 0, "04 3F 000000 00"),
    /** READ(6). */
    READ_6(0x08, TransferRule.BLOCKS_IN, 0xE0, "08 1F FFFF FF 00"),
    /** WRITE(6). */
    WRITE_6(0x0A, TransferRule.BLOCKS_OUT, 0xE0, "0A 1F FFFF FF 00"),
    /** INQUIRY. */
    INQUIRY(0x12, TransferRule.PARAMETERS_IN_AT_3, 0, "12 01 FF FFFF 00"),
    /** MODE SELECT(6). */
    MODE_SELECT_6(0x15, TransferRule.PARAMETERS_OUT, 0, "15 10 0000 FF 00"),
    /** RESERVE(6). */
    RESERVE_6(0x16, TransferRule.NO_DATA, 0, "16 00 000000 00"),
    /** RELEASE(6). */
    RELEASE_6(0x17, TransferRule.NO_DATA, 0, "17 00 000000 00"),
    /** MODE SENSE(6). */
    MODE_SENSE_6(0x1A, TransferRule.PARAMETERS_IN, 0, "1A 08 FF FF FF 00"),
    /** START STOP UNIT. */
    START_STOP_UNIT(0x1B, TransferRule.NO_DATA, 0, "1B 01 0000 F3 00"),
    /** RECEIVE DIAGNOSTIC RESULTS. */
    RECEIVE_DIAGNOSTIC(0x1C, TransferRule.PARAMETERS_IN_AT_3, 0, "1C 01 FF FFFF 00"),
    /** SEND DIAGNOSTIC. */
    SEND_DIAGNOSTIC(0x1D, TransferRule.PARAMETERS_OUT_AT_3, 0, "1D F7 00 FFFF 00"),
    /** PREVENT ALLOW MEDIUM REMOVAL. */
    PREVENT_ALLOW(0x1E, TransferRule.NO_DATA, 0, "1E 00 0000 03 00"),
    /** READ CAPACITY(10). */
    READ_CAPACITY_10(0x25, TransferRule.CAPACITY_10, 0, "25 00 FFFFFFFF 0000 01 00"),
    /** READ(10). */
    READ_10(0x28, TransferRule.BLOCKS_IN, 0xF8, "28 18 FFFFFFFF 00 FFFF 00"),
    /** WRITE(10). */
    WRITE_10(0x2A, TransferRule.BLOCKS_OUT, 0xF8, "2A 18 FFFFFFFF 00 FFFF 00"),
    /** SEEK(10). */
    SEEK_10(0x2B, TransferRule.NO_DATA, 0, "2B 00 FFFFFFFF 000000 00"),
    /** WRITE AND VERIFY(10). */
    WRITE_AND_VERIFY_10(0x2E, TransferRule.BLOCKS_OUT, 0xF6, "2E 16 FFFFFFFF 00 FFFF 00"),
    /** VERIFY(10). */
    VERIFY_10(0x2F, TransferRule.VERIFY_OUT, 0xF6, "2F 16 FFFFFFFF 00 FFFF 00"),
    /** PRE-FETCH(10). */
    PRE_FETCH_10(0x34, TransferRule.BLOCKS_ONLY, 0, "34 02 FFFFFFFF 00 FFFF 00"),
    /** SYNCHRONIZE CACHE(10). */
    SYNCHRONIZE_CACHE_10(0x35, TransferRule.BLOCKS_ONLY, 0, "35 02 FFFFFFFF 00 FFFF 00"),
    /** READ DEFECT DATA(10). */
    READ_DEFECT_DATA_10(0x37, TransferRule.PARAMETERS_IN, 0, "37 00 1F 00000000 FFFF 00"),
    /** WRITE BUFFER. */
    WRITE_BUFFER(0x3B, TransferRule.PARAMETERS_OUT_AT_6, 0, "3B 1F FF FFFFFF FFFFFF 00"),
    /** READ BUFFER(10). */
    READ_BUFFER(0x3C, TransferRule.PARAMETERS_IN_AT_6, 0, "3C 1F FF FFFFFF FFFFFF 00"),
    /** WRITE SAME(10). */
    WRITE_SAME_10(0x41, TransferRule.ONE_BLOCK_OUT, 0xE0, "41 08 FFFFFFFF 00 FFFF 00"),
    /** UNMAP. */
    UNMAP(0x42, TransferRule.PARAMETERS_OUT, 0, "42 00 0000000000 FFFF 00"),
    /** SANITIZE, any service action. */
    SANITIZE(0x48, CdbFormat.ANY, TransferRule.PARAMETERS_OUT, 0, "48 BF 0000000000 FFFF 00"),
    /** LOG SELECT. */
    LOG_SELECT(0x4C, TransferRule.PARAMETERS_OUT, 0, "4C 03 FFFF 000000 FFFF 00"),
    /** LOG SENSE. */
    LOG_SENSE(0x4D, TransferRule.PARAMETERS_IN, 0, "4D 01 FFFF 00 FFFF FFFF 00"),
    /** MODE SELECT(10). */
    MODE_SELECT_10(0x55, TransferRule.PARAMETERS_OUT, 0, "55 10 0000000000 FFFF 00"),
    /** RESERVE(10), in the form without parameters. */
    RESERVE_10(0x56, TransferRule.NO_DATA, 0, "56 00 0000000000 0000 00"),
    /** RELEASE(10), in the form without parameters. */
    RELEASE_10(0x57, TransferRule.NO_DATA, 0, "57 00 0000000000 0000 00"),
    /** MODE SENSE(10). */
    MODE_SENSE_10(0x5A, TransferRule.PARAMETERS_IN, 0, "5A 18 FF FF 000000 FFFF 00"),
    /** PERSISTENT RESERVE IN, any service action. */
    PERSISTENT_RESERVE_IN(0x5E, CdbFormat.ANY, TransferRule.PARAMETERS_IN, 0,
            "5E 1F 0000000000 FFFF 00"),
    /** PERSISTENT RESERVE OUT, any service action. */
    PERSISTENT_RESERVE_OUT(0x5F, CdbFormat.ANY, TransferRule.PARAMETERS_OUT_AT_5, 0,
            "5F 1F FF 0000 FFFFFFFF 00"),
    /** EXTENDED COPY and its relatives, any service action. */
    EXTENDED_COPY(0x83, CdbFormat.ANY, TransferRule.PARAMETERS_OUT, 0,
            "83 1F 0000000000000000 FFFFFFFF 00 00"),
    /** RECEIVE COPY RESULTS and its relatives, any service action. */
    RECEIVE_COPY_RESULTS(0x84, CdbFormat.ANY, TransferRule.PARAMETERS_IN, 0,
            "84 1F FF 00000000000000 FFFFFFFF 00 00"),
    /** READ(16). */
    READ_16(0x88, TransferRule.BLOCKS_IN, 0xF8, "88 18 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** COMPARE AND WRITE. */
    COMPARE_AND_WRITE(0x89, TransferRule.BLOCK_PAIRS_OUT_AT_13, 0xF8,
            "89 18 FFFFFFFFFFFFFFFF 000000 FF 00 00"),
    /** WRITE(16). */
    WRITE_16(0x8A, TransferRule.BLOCKS_OUT, 0xF8, "8A 18 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** ORWRITE(16). */
    ORWRITE_16(0x8B, TransferRule.BLOCKS_OUT, 0xF8, "8B 18 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** WRITE AND VERIFY(16). */
    WRITE_AND_VERIFY_16(0x8E, TransferRule.BLOCKS_OUT, 0xF6,
            "8E 16 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** VERIFY(16). */
    VERIFY_16(0x8F, TransferRule.VERIFY_OUT, 0xF6, "8F 16 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** PRE-FETCH(16). */
    PRE_FETCH_16(0x90, TransferRule.BLOCKS_ONLY, 0, "90 02 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** SYNCHRONIZE CACHE(16). */
    SYNCHRONIZE_CACHE_16(0x91, TransferRule.BLOCKS_ONLY, 0,
            "91 02 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** WRITE SAME(16). */
    WRITE_SAME_16(0x93, TransferRule.ONE_BLOCK_OUT, 0xE0, "93 09 FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** WRITE ATOMIC(16). */
    WRITE_ATOMIC_16(0x9C, TransferRule.BLOCKS_OUT_AT_12, 0xF8,
            "9C 18 FFFFFFFFFFFFFFFF FFFF FFFF 00 00"),
    /** READ CAPACITY(16). */
    READ_CAPACITY_16(0x9E, 0x10, TransferRule.PARAMETERS_IN, 0,
            "9E 1F FFFFFFFFFFFFFFFF FFFFFFFF 01 00"),
    /** GET LBA STATUS. */
    GET_LBA_STATUS(0x9E, 0x12, TransferRule.PARAMETERS_IN, 0,
            "9E 1F FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** SERVICE ACTION IN(16) with a service action not listed here. */
    SERVICE_ACTION_IN_16(0x9E, CdbFormat.ANY, TransferRule.PARAMETERS_IN, 0,
            "9E 1F FFFFFFFFFFFFFFFF FFFFFFFF 00 00"),
    /** REPORT LUNS. */
    REPORT_LUNS(0xA0, TransferRule.PARAMETERS_IN, 0, "A0 00 FF 000000 FFFFFFFF 00 00"),
    /** REPORT TARGET PORT GROUPS. */
    REPORT_TARGET_PORT_GROUPS(0xA3, 0x0A, TransferRule.PARAMETERS_IN, 0,
            "A3 FF 00000000 FFFFFFFF 00 00"),
    /** REPORT SUPPORTED OPERATION CODES. */
    REPORT_SUPPORTED_OPCODES(0xA3, 0x0C, TransferRule.PARAMETERS_IN, 0,
            "A3 1F 87 FF FFFF FFFFFFFF 00 00"),
    /** MAINTENANCE IN with a service action not listed here. */
    MAINTENANCE_IN(0xA3, CdbFormat.ANY, TransferRule.PARAMETERS_IN, 0,
            "A3 1F 00000000 FFFFFFFF 00 00"),
    /** MAINTENANCE OUT, any service action. */
    MAINTENANCE_OUT(0xA4, CdbFormat.ANY, TransferRule.PARAMETERS_OUT, 0,
            "A4 1F 00000000 FFFFFFFF 00 00"),
    /** READ(12). */
    READ_12(0xA8, TransferRule.BLOCKS_IN, 0xF8, "A8 18 FFFFFFFF FFFFFFFF 00 00"),
    /** WRITE(12). */
    WRITE_12(0xAA, TransferRule.BLOCKS_OUT, 0xF8, "AA 18 FFFFFFFF FFFFFFFF 00 00"),
    /** WRITE AND VERIFY(12). */
    WRITE_AND_VERIFY_12(0xAE, TransferRule.BLOCKS_OUT, 0xF6, "AE 16 FFFFFFFF FFFFFFFF 00 00"),
    /** VERIFY(12). */
    VERIFY_12(0xAF, TransferRule.VERIFY_OUT, 0xF6, "AF 16 FFFFFFFF FFFFFFFF 00 00"),
    /** READ DEFECT DATA(12). */
    READ_DEFECT_DATA_12(0xB7, TransferRule.PARAMETERS_IN, 0, "B7 1F FFFFFFFF FFFFFFFF 00 00");

    /** Stands for an opcode or service action that does not exist. */
    static final int NONE = -1;
    /** In the table only: every service action without a row of its own. */
    static final int ANY = -2;

    /** Byte 1 of a block command: RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT. */
    static final int PROTECT = 0xE0;
    /** Byte 1 of a block command: disable page out. */
    static final int DPO = 0x10;
    /** Byte 1 of a block command: force unit access. */
    static final int FUA = 0x08;
    /** Byte 1 of a verifying command: byte check. */
    static final int BYTCHK = 0x06;

    private static final int OPCODES = 256;
    private static final int SERVICE_ACTIONS = 32;
    private static final int SERVICE_ACTION_MASK = SERVICE_ACTIONS - 1;
    private static final CdbFormat[] BY_CODE = new CdbFormat[OPCODES * SERVICE_ACTIONS];

    static {
        for (int i = 0; i < BY_CODE.length; i++) {
            BY_CODE[i] = UNKNOWN;
        }
        for (CdbFormat format : values()) {
            if (format.serviceAction < 0 && format != UNKNOWN) {
                for (int action = 0; action < SERVICE_ACTIONS; action++) {
                    BY_CODE[format.opcode * SERVICE_ACTIONS + action] = format;
                }
            }
        }
        for (CdbFormat format : values()) {
            if (format.serviceAction >= 0) {
                BY_CODE[format.opcode * SERVICE_ACTIONS + format.serviceAction] = format;
            }
        }
    }

    private final int opcode;
    private final int serviceAction;
    private final TransferRule rule;
    private final int options;
    private final String usage;

    CdbFormat(int opcode, TransferRule rule, int options, String usage) {
        this(opcode, CdbFormat.NONE, rule, options, usage);
    }

    CdbFormat(int opcode, int serviceAction, TransferRule rule, int options, String usage) {
        this.opcode = opcode;
        this.serviceAction = serviceAction;
        this.rule = rule;
        this.options = options;
        this.usage = usage.replace(" ", "");
    }

    /**
     * Finds the row of a command. Any thread; allocates nothing.
     *
     * @param opcode byte 0 of the CDB, 0 to 255
     * @param serviceAction the low five bits of byte 1; ignored where the opcode has no service
     *     actions
     * @return the row, {@link #UNKNOWN} if there is none
     * @throws IllegalArgumentException if the opcode does not fit into a byte
     */
    public static CdbFormat of(int opcode, int serviceAction) {
        if (opcode < 0 || opcode >= OPCODES) {
            throw new IllegalArgumentException("opcode " + opcode);
        }
        return BY_CODE[opcode * SERVICE_ACTIONS + (serviceAction & SERVICE_ACTION_MASK)];
    }

    /**
     * The length that the group of an opcode gives its CDB (CMD-1).
     *
     * @return 6, 10, 12 or 16, or 0 for the groups 3, 6 and 7
     */
    static int groupLengthBytes(int opcode) {
        return switch (opcode >> 5) {
            case 0 -> 6;
            case 1, 2 -> 10;
            case 4 -> 16;
            case 5 -> 12;
            default -> 0;
        };
    }

    /**
     * Byte 0 of the CDB.
     *
     * @return 0 to 255, or -1 for {@link #UNKNOWN}
     */
    public int opcode() {
        return opcode;
    }

    /**
     * Whether byte 1 of the CDB selects a service action.
     *
     * @return true if the opcode has service actions
     */
    public boolean hasServiceAction() {
        return serviceAction != NONE;
    }

    /**
     * The service action of this row.
     *
     * @return 0 to 31, or -1 if the opcode has none or the row stands for any
     */
    public int serviceAction() {
        return Math.max(serviceAction, NONE);
    }

    /**
     * The length of the CDB (CMD-1).
     *
     * @return the length in bytes, or 0 for {@link #UNKNOWN}, whose length is that of its group
     */
    public int lengthBytes() {
        return usage.length() / 2;
    }

    /**
     * A fresh CDB with opcode and service action filled in and the rest zero, for those who send
     * commands.
     *
     * @return the new array, {@link #lengthBytes()} long
     * @throws IllegalStateException for {@link #UNKNOWN}
     */
    public byte[] newCdb() {
        if (this == UNKNOWN) {
            throw new IllegalStateException("an unknown command has no CDB");
        }
        byte[] cdb = new byte[lengthBytes()];
        cdb[0] = (byte) opcode;
        cdb[1] = (byte) Math.max(serviceAction, 0);
        return cdb;
    }

    /** How the data phase follows from the CDB. */
    TransferRule rule() {
        return rule;
    }

    /**
     * Which of {@link #PROTECT}, {@link #DPO}, {@link #FUA} and {@link #BYTCHK} byte 1 of this
     * command has.
     */
    int options() {
        return options;
    }

    /** The CDB usage map, byte 0 being the opcode (CMD-87); a fresh array. */
    byte[] usage() {
        return HexFormat.of().parseHex(usage);
    }
}
