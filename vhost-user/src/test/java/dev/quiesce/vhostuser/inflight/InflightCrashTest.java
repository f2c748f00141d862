package dev.quiesce.vhostuser.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A back end is killed before each of its stores, and so is the one that takes over. */
class InflightCrashTest {
    private static final int SEEDS = 200;
    private static final int SEEDS_OF_TWO = 12;

    /** The begin, and shortly before indices begin anew. */
    private static final int[] FIRST_INDICES = {0, 65533};

    @Test
    @Rule("VHU-27")
    @Rule("VHU-28")
    @Rule("SCHED-26")
    void shouldFinishEachRequestOnceWhereverTheBackEndIsKilled() {
        for (int firstIndex : FIRST_INDICES) {
            for (long seed = 0; seed < SEEDS; seed++) {
                int stores = run(seed, firstIndex);
                assertThat(stores).isGreaterThan(16);
                for (int kill = 0; kill <= stores; kill++) {
                    run(seed, firstIndex, kill);
                }
            }
        }
    }

    @Test
    @Rule("VHU-27")
    @Rule("VHU-28")
    @Rule("SCHED-26")
    void shouldFinishEachRequestOnceWhereverTwoBackEndsAreKilled() {
        for (int firstIndex : FIRST_INDICES) {
            for (long seed = 0; seed < SEEDS_OF_TWO; seed++) {
                int stores = run(seed, firstIndex);
                for (int first = 0; first <= stores; first++) {
                    int second = run(seed, firstIndex, first);
                    for (int kill = 0; kill <= second; kill++) {
                        run(seed, firstIndex, first, kill);
                    }
                }
            }
        }
    }

    private static int run(long seed, int firstIndex, int... kills) {
        try {
            return new CrashModel(seed, firstIndex).run(kills);
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed + ", index " + firstIndex
                    + ", killed before stores " + Arrays.toString(kills), e);
        }
    }
}
