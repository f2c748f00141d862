/**
 * Guest memory as a device sees it: bounds-checked access by guest address, and nothing else.
 *
 * <p>An embedder gives a {@link dev.quiesce.virtio.memory.GuestMemory}; each device reads its
 * current {@link dev.quiesce.virtio.memory.MemoryMap}, an immutable snapshot of which addresses
 * are RAM. Whoever resolved a buffer against a snapshot keeps that snapshot for as long as it
 * uses the buffer; changing the map therefore means: settle the devices, publish the new map,
 * resume.
 *
 * <p><b>What a guest can do wrong is a value.</b> {@code covers}, {@code holdsRing}, {@code
 * resolve} and the copies answer {@code false} for a hole, a wrap-around, read-only memory. The
 * scalar accessors are for addresses that were asked about before; since a snapshot never
 * changes, one question is enough.
 *
 * <p><b>What memory can do wrong is an exception.</b> A mapping truncated by its peer makes the
 * JVM throw {@link java.lang.InternalError} out of an ordinary load; an embedder's implementation
 * reports trouble of its own by {@link dev.quiesce.virtio.memory.GuestMemoryFault}. The virtqueue
 * turns either into a broken queue; a device's handler treats either as "this device is broken"
 * and never lets it escape.
 *
 * <p>Some JVMs throw that {@code InternalError} late, wherever the thread happens to be. Memory
 * which a peer may truncate is therefore declared ({@code mayBeTruncated}), and whoever touches
 * it through buffers of its own calls {@code surfaceFaults} before leaving the device's code.
 *
 * <p><b>Threads.</b> Every type here may be used by any thread at any time, builders excepted.
 * Ordering between device and guest comes only from {@code loadAcquire16}, {@code storeRelease16}
 * and {@code fullFence}; everything else is a plain access.
 *
 * <p>Read {@link dev.quiesce.virtio.memory.MemoryMap} first, then
 * {@link dev.quiesce.virtio.memory.RegionMap}.
 */
@NullMarked
package dev.quiesce.virtio.memory;

import org.jspecify.annotations.NullMarked;
