package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The scenario JCQ-T15 of a loop: arguments out of range are refused, and change nothing. */
@SuppressWarnings("NullAway") // the point of the tests
class ArgumentScenariosTest {
    private static final ControlWait.Outcome NOBODY = failure -> { };
    private static final ControlWait.Target NEVER = new ControlWait.Target() {
        @Override
        public boolean isDone() {
            return false;
        }

        @Override
        public void describe(WaitReport out) {
            // Nobody is asked in these tests.
        }
    };

    private final FakeLoop loop = new FakeLoop();

    @TestFactory
    @Rule("JCQ-T15")
    List<DynamicTest> jcqT15ShouldRefuseNullAtHomeAndElsewhereAndStayAsItWas() {
        AioContext context = loop.context;
        Task[] withHole = {loop.logs("a"), null, loop.logs("b")};
        Map<String, ThrowingCallable> any = new LinkedHashMap<>();
        any.put("post", () -> context.post(null));
        any.put("post of many", () -> context.postAll(null, 0));
        any.put("post of many with a hole", () -> context.postAll(withHole, 3));
        any.put("outer-only post", () -> context.postOuter(null));
        any.put("code", () -> context.execute(null));
        any.put("polling", () -> context.setPolling(null));
        any.put("timer without a name", () -> new LoopTimer(context, null, () -> { }));
        any.put("timer without a callback", () -> new LoopTimer(context, "timer", null));
        any.put("bottom half", () -> new BottomHalf(context, "half", null));
        Map<String, ThrowingCallable> home = new LinkedHashMap<>(any);
        home.put("defer", () -> context.defer(null));
        home.put("deferred call", () -> context.deferCall(null));
        home.put("settle", () -> context.deferSettle(null));
        home.put("condition", () -> context.whenDone(null, loop.logs("waiter")));
        home.put("waiter", () -> context.whenDone(() -> true, null));
        home.put("source", () -> context.attachSource(null));
        home.put("handler", () -> new EventNotifier("event").attach(context, null));
        home.put("item", () -> Workers.inline().submit(context, null));
        home.put("wait without a context", () -> ControlWait.whenDone(null, NEVER, "wait", NOBODY));
        home.put("wait without a target",
                () -> ControlWait.whenDone(context, null, "wait", NOBODY));
        home.put("wait without a name", () -> ControlWait.whenDone(context, NEVER, null, NOBODY));
        home.put("wait without an outcome",
                () -> ControlWait.whenDone(context, NEVER, "wait", null));
        any.put("report of nobody", () -> new WaitReport().outstanding(null, context, 1, false));
        any.put("report of nowhere", () -> new WaitReport().outstanding("disk", null, 1, false));
        any.put("parked nowhere", () -> new WaitReport().parked("disk", null, 1));

        List<DynamicTest> tests = new ArrayList<>();
        any.forEach((name, call) -> tests.add(DynamicTest.dynamicTest(
                name + " elsewhere", () -> elsewhere(() -> refused(call)))));
        home.forEach((name, call) -> tests.add(
                DynamicTest.dynamicTest(name + " at home", () -> refused(call))));
        tests.add(DynamicTest.dynamicTest("and nothing has come of it", () -> {
            assertThat(context.isIdle()).isTrue();
            assertThat(context.source()).isNull();
            loop.poll();
            assertThat(loop.log).isEmpty();
            assertThat(loop.errors).isEmpty();
            context.postAll(new Task[] {withHole[0], withHole[2]}, 2);
            loop.poll();
            assertThat(loop.log).containsExactly("a", "b");
            context.close();
        }));
        return tests;
    }

    private static void refused(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
    }

    @Test
    @Rule("JCQ-T15")
    void jcqT15ShouldRefuseNumbersOutOfRangeNamingThem() {
        Task[] two = {loop.logs("a"), loop.logs("b")};
        for (int count : new int[] {-1, 3, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            ThrowingCallable call = () -> loop.context.postAll(two, count);
            outOfRange(call, IndexOutOfBoundsException.class, count);
            elsewhere(() -> outOfRange(call, IndexOutOfBoundsException.class, count));
        }
        outOfRange(() -> loop.context.setBatchMax(-1), IllegalArgumentException.class, -1);
        outOfRange(() -> loop.context.poll(-7), IllegalArgumentException.class, -7);
        outOfRange(() -> new PollParameters(-8, 0, 0), IllegalArgumentException.class, -8);
        outOfRange(() -> new PollParameters(0, -9, 0), IllegalArgumentException.class, -9);
        outOfRange(() -> new PollParameters(0, 0, -5), IllegalArgumentException.class, -5);

        assertThat(loop.context.isIdle()).isTrue();
        loop.context.postAll(two, 2);
        loop.poll();
        assertThat(loop.log).containsExactly("a", "b");
    }

    private static void outOfRange(
            ThrowingCallable call, Class<? extends Exception> type, long number) {
        assertThatThrownBy(call).isInstanceOf(type).hasMessageContaining(String.valueOf(number));
    }

    @Test
    @Rule("JCQ-T15")
    void jcqT15ShouldTakeZeroForNothing() {
        Task[] one = {loop.logs("a")};
        loop.context.postAll(one, 0);
        loop.context.postAll(new Task[0], 0);
        elsewhere(() -> loop.context.postAll(one, 0));
        assertThat(loop.context.isIdle()).isTrue();

        assertThat(loop.poll()).isFalse();
        assertThat(loop.parker.unparks).isZero();
        assertThat(loop.parker.parks).as("a turn of no time does not sleep").isEmpty();
        loop.context.post(one[0]);
        loop.poll();
        assertThat(loop.log).containsExactly("a");
    }

    @Test
    @Rule("JCQ-T15")
    @Rule("IOT-2")
    void jcqT15ShouldLeaveTheBatchToTheLoopIfItIsToBeZero() {
        DeferredCall publish = loop.logsCall("publish");
        loop.context.setBatchMax(1);
        loop.context.setBatchMax(0);
        for (int i = 0; i < 10; i++) {
            loop.context.post(FakeLoop.task("t", () -> loop.context.deferCall(publish)));
        }

        loop.poll();

        assertThat(loop.log).containsExactly("publish");
    }
}
