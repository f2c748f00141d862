/**
 * NIO channels as sources of events: a handler of a channel runs in the home context of a loop
 * whenever the channel can be read, written, accepted from or connected.
 *
 * <p>A context parks its thread as long as no channel is attached, and sleeps in a selector once
 * one is; a wake-up is then several times dearer. Everything here belongs to the home context of
 * the loop, which is checked.
 *
 * <p>Read first: {@link dev.quiesce.aio.channel.ChannelHandler}.
 */
@NullMarked
package dev.quiesce.aio.channel;

import org.jspecify.annotations.NullMarked;
