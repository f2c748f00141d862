package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One object of the loops of a {@link LoopStory}, with what is known about it. */
abstract class LoopPart {
    final LoopStory story;
    final String name;

    LoopPart(LoopStory story, String name) {
        this.story = story;
        this.name = name;
    }

    /** Does something with it, at random; {@code at}: whose home does that, null elsewhere. */
    abstract void move(@Nullable AioContext at);

    /** {@return whether it shows what is known about it; asked after every step} */
    boolean isAsKnown() {
        return true;
    }

    /** {@return whether something should have run by now, before time went on; asked likewise} */
    boolean isLate() {
        return false;
    }

    /** Names what is due in a context, as that does when it is closed or ends. */
    abstract void addDue(AioContext where, List<String> out);

    /** Names what a context that is closed complains of. */
    void addLeaks(AioContext where, List<String> out) {
        // Most parts end by themselves.
    }

    /** The context has ended, and has named what was due there. */
    abstract void lost(AioContext where);

    /** Ends what it has in that context, whose home is the caller. */
    abstract void letGo(AioContext where);

    /** {@return whether nobody waits for anything of it} In the end. */
    boolean isAnswered() {
        return true;
    }
}
