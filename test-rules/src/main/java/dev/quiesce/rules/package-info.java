/**
 * The annotation by which a test cites the numbered rules of {@code docs/spec/} that it proves.
 */
@NullMarked
package dev.quiesce.rules;

import org.jspecify.annotations.NullMarked;
