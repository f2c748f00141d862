package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class DeferredCallTest {
    @Test
    @Rule("AIO-78")
    void shouldMakeACallOnceAfterTheCallbacksOfTheSlice() {
        FakeLoop loop = new FakeLoop();
        DeferredCall publish = loop.logsCall("publish");
        for (String name : new String[] {"a", "b"}) {
            loop.context.defer(FakeLoop.task(name, () -> {
                loop.log.add(name);
                loop.context.deferCall(publish);
            }));
        }

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("a", "b", "publish");
    }

    @Test
    @Rule("AIO-78")
    void shouldMakeCallsInTheOrderOfTheirFirstRegistration() {
        FakeLoop loop = new FakeLoop();
        DeferredCall first = loop.logsCall("first");
        DeferredCall second = loop.logsCall("second");
        loop.context.deferCall(first);
        loop.context.deferCall(second);
        loop.context.deferCall(first);

        loop.poll();

        assertThat(loop.log).containsExactly("first", "second");
    }

    @Test
    void shouldSettleAfterAllCalls() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("a", () -> {
            loop.context.deferSettle(loop.logsCall("settle"));
            loop.context.deferCall(FakeLoop.call("publish", () -> {
                loop.log.add("publish");
                loop.context.deferCall(loop.logsCall("interrupt"));
            }));
        }));

        loop.poll();

        assertThat(loop.log).containsExactly("publish", "interrupt", "settle");
    }

    @Test
    void shouldPublishWhatASettleRegistersBeforeTheNextBatchOfSettles() {
        FakeLoop loop = new FakeLoop();
        loop.context.deferSettle(FakeLoop.call("reply", () -> {
            loop.log.add("reply");
            loop.context.deferCall(loop.logsCall("publish reply"));
            loop.context.deferSettle(loop.logsCall("count out reply"));
        }));
        loop.context.deferSettle(loop.logsCall("settle"));

        loop.poll();

        assertThat(loop.log)
                .containsExactly("reply", "settle", "publish reply", "count out reply");
    }

    @Test
    @Rule("AIO-80")
    void shouldRunACallThatRegistersItselfAgainOnceMore() {
        FakeLoop loop = new FakeLoop();
        DeferredCall[] call = new DeferredCall[1];
        call[0] = FakeLoop.call("again", () -> {
            loop.log.add("run");
            if (loop.log.size() < 3) {
                loop.context.deferCall(call[0]);
                loop.context.deferCall(call[0]);
            }
        });
        loop.context.deferCall(call[0]);

        loop.poll();

        assertThat(loop.log).containsExactly("run", "run", "run");
    }

    @Test
    @Rule("AIO-80")
    void shouldRunTheRestOfTheEpilogueInACallThatPolls() {
        FakeLoop loop = new FakeLoop();
        loop.context.deferCall(FakeLoop.call("polls", () -> {
            loop.log.add("polls");
            loop.poll();
            loop.log.add("polled");
        }));
        loop.context.deferCall(loop.logsCall("publish"));
        loop.context.deferSettle(loop.logsCall("settle"));

        loop.poll();

        assertThat(loop.log).containsExactly("polls", "publish", "settle", "polled");
    }

    @Test
    void shouldMakeTheCallsOfReturnedCallbacksWhenANestedPollBegins() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("returned", () -> {
            loop.context.deferCall(loop.logsCall("publish"));
            loop.context.deferSettle(loop.logsCall("settle"));
        }));
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.log.add("nested turn");
            loop.poll();
            loop.log.add("over");
        }));
        loop.context.defer(loop.logs("rest of the slice"));

        loop.poll();

        assertThat(loop.log)
                .containsExactly("nested turn", "publish", "settle", "rest of the slice", "over");
    }

    @Test
    void shouldNotSleepInANestedPollThatSettledSomething() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.context.deferSettle(loop.logsCall("settle"));
            loop.context.poll(Long.MAX_VALUE);
        }));

        loop.poll();

        assertThat(loop.log).containsExactly("settle");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-81")
    void shouldMakeTheCallsEvery64TasksOfALongSlice() {
        FakeLoop loop = new FakeLoop();
        DeferredCall publish = loop.logsCall("publish");
        for (int i = 0; i < 130; i++) {
            loop.context.defer(FakeLoop.task("t", () -> {
                loop.log.add("t");
                loop.context.deferCall(publish);
            }));
        }

        loop.poll();

        assertThat(loop.log.stream().filter("publish"::equals)).hasSize(3);
        assertThat(loop.log.indexOf("publish")).isEqualTo(64);
    }

    @Test
    void shouldMakeTheCallsOfTimersToo() {
        FakeLoop loop = new FakeLoop();
        LoopTimer timer = new LoopTimer(loop.context, "timer",
                () -> loop.context.deferCall(loop.logsCall("publish")));
        timer.armAt(0);

        loop.poll();

        assertThat(loop.log).containsExactly("publish");
    }

    @Test
    void shouldNotSleepWhileACallIsRegisteredOutsideAPoll() {
        FakeLoop loop = new FakeLoop();
        loop.context.deferCall(loop.logsCall("publish"));

        boolean progress = loop.context.poll(Long.MAX_VALUE);

        assertThat(progress).isTrue();
        assertThat(loop.log).containsExactly("publish");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    void shouldReportACallThatThrowsAndMakeTheOthers() {
        FakeLoop loop = new FakeLoop();
        loop.context.deferCall(FakeLoop.call("broken", () -> {
            throw new IllegalStateException("on purpose");
        }));
        loop.context.deferCall(loop.logsCall("publish"));
        loop.context.deferSettle(loop.logsCall("settle"));

        loop.poll();

        assertThat(loop.errorSites).containsExactly("broken");
        assertThat(loop.log).containsExactly("publish", "settle");
    }
}
