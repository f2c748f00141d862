package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.queue.RingInbox;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;

/**
 * Can an item that is left in an inbox be lost, be taken twice, overtake another of its poster, or
 * come without what its poster wrote before (AIO-4, AIO-16)?
 *
 * <p>The slot (the classes so named): the taker takes an item and hands its slot back, and a poster
 * that sees so uses the slot again. First result: the poster did. Second: what is in the slot in
 * the end.
 *
 * <p>The real inbox has one slot to claim, so it is full at once: an item finds the slot, or goes
 * to the overflow, or finds a larger array.
 *
 * <pre>
 *     jcstress-tests/quick.sh InboxHandOver
 * </pre>
 */
public class InboxHandOver {
    private InboxHandOver() {
    }

    /** The slot is cleared, then handed back with release. */
    @JCStressTest
    @Outcome(id = "true, 0", expect = FORBIDDEN, desc = "Lost: wiped out with the one before.")
    @Outcome(id = "true, 2", expect = ACCEPTABLE, desc = "In the slot.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Came before the slot was free.")
    @State
    public static class ModelSlot extends Slot {
        /** Uses the slot if it is free. */
        @Actor
        public void poster(ZI_Result r) {
            r.r1 = storeIfFree();
        }

        /** Clears, then hands back. */
        @Actor
        public void taker() {
            SLOT.set(this, 0);
            HEAD.setRelease(this, 1);
        }

        /** What the taker would find. */
        @Arbiter
        public void after(ZI_Result r) {
            r.r2 = slot;
        }
    }

    /** The slot is handed back, then cleared. */
    @JCStressTest
    @Outcome(id = "true, 0", expect = ACCEPTABLE_INTERESTING,
            desc = "Lost: wiped out with the one before.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenSlotHandedBackFirst extends Slot {
        /** Uses the slot if it is free. */
        @Actor
        public void poster(ZI_Result r) {
            r.r1 = storeIfFree();
        }

        /** Hands back, then clears. */
        @Actor
        public void taker() {
            HEAD.setRelease(this, 1);
            SLOT.setOpaque(this, 0);
        }

        /** What the taker would find. */
        @Arbiter
        public void after(ZI_Result r) {
            r.r2 = slot;
        }
    }

    /** One poster, two items, one slot. */
    @JCStressTest
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "Both, in order, with what was written.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, doubled, overtaken or torn.")
    @State
    public static class ActualOnePoster extends Full {
        /** Leaves both. */
        @Actor
        public void poster() {
            inbox.offer(new Letter(1));
            inbox.offer(new Letter(2));
        }

        /** Takes what there is, twice. */
        @Actor
        public void taker() {
            takeSome();
            takeSome();
        }

        /** Takes the rest. */
        @Arbiter
        public void after(II_Result r) {
            takeAll();
            r.r1 = written(0);
            r.r2 = count == 2 ? written(1) : -count;
        }
    }

    /** Two posters, each of two items, the second one's at once. Result: 0 if all is well. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "All four, each poster's in order.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, doubled, overtaken or torn.")
    @State
    public static class ActualTwoPosters extends Full {
        /** Leaves one after the other. */
        @Actor
        public void poster() {
            inbox.offer(new Letter(1));
            inbox.offer(new Letter(2));
        }

        /** Leaves two at once. */
        @Actor
        public void burst() {
            inbox.offerAll(new Letter[] {new Letter(3), new Letter(4)}, 2);
        }

        /** Takes what there is, twice. */
        @Actor
        public void taker() {
            takeSome();
            takeSome();
        }

        /** Takes the rest. */
        @Arbiter
        public void after(I_Result r) {
            takeAll();
            int[] order = new int[count];
            Arrays.setAll(order, this::written);
            int third = indexOf(order, 3);
            boolean well = count == 4 && indexOf(order, 1) >= 0
                    && indexOf(order, 2) > indexOf(order, 1)
                    && third >= 0 && third < 3 && order[third + 1] == 4;
            r.r1 = well ? 0 : 1;
        }

        private static int indexOf(int[] order, int number) {
            for (int i = 0; i < order.length; i++) {
                if (order[i] == number) {
                    return i;
                }
            }
            return -1;
        }
    }

    /** A slot with an item, and how many items were taken. */
    static class Slot {
        static final VarHandle SLOT = Handles.of(Slot.class, "slot");
        static final VarHandle HEAD = Handles.of(Slot.class, "head");

        int slot = 1;
        int head;

        boolean storeIfFree() {
            if ((int) HEAD.getAcquire(this) == 0) {
                return false;
            }
            SLOT.setRelease(this, 2);
            return true;
        }
    }

    /** The real inbox, and what was taken from it. */
    static class Full {
        final Inbox<Letter> inbox = new RingInbox<>(2, 4);
        final Object[] taken = new Object[8];
        int count;

        void takeSome() {
            count += inbox.poll(taken, count, taken.length - count);
        }

        void takeAll() {
            for (long left = inbox.claimed(); left > 0; left--) {
                count += inbox.take(taken, count, 1);
            }
        }

        int written(int index) {
            return ((Letter) taken[index]).number;
        }
    }

    /** An item with something that was written before it was left. */
    static class Letter {
        int number;

        Letter(int number) {
            this.number = number;
        }
    }
}
