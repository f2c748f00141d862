package dev.quiesce.testkit;

import java.util.SplittableRandom;

/** Who says which of several agents moves next. Number 0 is whoever moved last, if it can. */
@FunctionalInterface
interface Choices {
    /** {@return a number from 0 to {@code width - 1}; there are at least two} */
    int next(int width);

    static Choices random(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return random::nextInt;
    }

    /** The given choices, then always 0. */
    static Choices given(int[] choices) {
        int[] at = new int[1];
        return width -> at[0] < choices.length ? choices[at[0]++] % width : 0;
    }
}
