package dev.quiesce.virtio.scsi;

/**
 * The task management functions that came by a control queue so far. Read one after the other, so
 * numbers of one reading may differ by what came meanwhile.
 *
 * @param aborts ABORT TASK, ABORT TASK SET and CLEAR TASK SET
 * @param resets LOGICAL UNIT RESET and I_T NEXUS RESET
 * @param queries QUERY TASK and QUERY TASK SET
 * @param refused functions that there are not
 * @param answered those of every kind that were answered
 */
public record TaskFunctionStats(
        long aborts, long resets, long queries, long refused, long answered) {}
