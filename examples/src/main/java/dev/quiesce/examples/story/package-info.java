/**
 * The two behaviours this project is named for, told as a search tells them: the designs that came
 * before, beside Quiesce's own, under every schedule within the same bounds.
 *
 * <p>The old designs are models of our own. They stand on the real event loops, backend and unit;
 * only the walk over the requests, or the reading of the context, is theirs.
 *
 * <p>Threads: everything runs on one stack, inside {@link dev.quiesce.testkit.Simulation}.
 *
 * <p>Read {@link dev.quiesce.examples.story.SeedStory} first.
 */
@NullMarked
package dev.quiesce.examples.story;

import org.jspecify.annotations.NullMarked;
