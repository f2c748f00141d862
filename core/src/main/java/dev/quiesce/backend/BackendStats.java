package dev.quiesce.backend;

/**
 * What went through a backend so far, summed over its ports. The sums are taken without stopping
 * anybody, so numbers of one reading may differ by what was under way.
 *
 * @param requests submitted
 * @param readBytes by reads that succeeded
 * @param writtenBytes by writes that succeeded
 * @param failed completed with neither {@code OK} nor {@code CANCELLED}
 * @param parked had to wait for the end of a section
 * @param replayed started after such a wait
 * @param cancelledWhileParked cancelled during such a wait
 * @param cancelledInDriver cancelled by a driver or on the way into one
 * @param contextChanges moves of the backend to another context
 */
public record BackendStats(
        long requests,
        long readBytes,
        long writtenBytes,
        long failed,
        long parked,
        long replayed,
        long cancelledWhileParked,
        long cancelledInDriver,
        long contextChanges) {}
