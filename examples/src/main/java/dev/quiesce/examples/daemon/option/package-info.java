/**
 * What may be asked of the storage daemon, in words: texts and JSON objects become typed records,
 * or a message that names the parameter, its value and what is allowed.
 *
 * <p>Threads: any; everything is immutable or confined to the caller. Read {@code OptionText} (how
 * {@code key=value} becomes an object), then {@code Arguments} (how an object is read).
 */
@NullMarked
package dev.quiesce.examples.daemon.option;

import org.jspecify.annotations.NullMarked;
