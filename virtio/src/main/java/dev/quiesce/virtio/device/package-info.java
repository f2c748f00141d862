/**
 * What all virtio devices share: status, features, queues and their notifications.
 */
@NullMarked
package dev.quiesce.virtio.device;

import org.jspecify.annotations.NullMarked;
