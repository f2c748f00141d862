/**
 * Guest memory as the emulator provides it.
 */
@NullMarked
package dev.quiesce.virtio.memory;

import org.jspecify.annotations.NullMarked;
