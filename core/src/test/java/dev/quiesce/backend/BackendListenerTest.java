package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.Task;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a device hears of sections. */
class BackendListenerTest extends OnTwoNodes {
    @Test
    @Rule("DRAIN-20")
    @Rule("DRAIN-21")
    @Rule("DRAIN-25")
    @Rule("BUG-71")
    void shouldTellListenersOncePerTransitionAndReplayAfterThem() {
        List<String> log = new ArrayList<>();
        Recorder recorder = new Recorder();
        BlockRequest parked = Machine.read(recorder, 0);
        BlockRequest fromListener = Machine.read(recorder, 512);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("begin, quiesced " + backend.gate().isQuiesced());
            }

            @Override
            public void drainedEnd() {
                log.add("end, quiesced " + backend.isQuiesced()
                        + ", replayed " + recorder.statuses.size());
                backend.port(machine.main).submit(fromListener);
            }
        });

        DrainedSection first = DrainedSection.begin(backend);
        DrainedSection second = DrainedSection.begin(top);
        backend.port(machine.main).submit(parked);
        first.close();
        second.close();
        machine.settle();

        assertThat(log).containsExactly("begin, quiesced true",
                "end, quiesced false, replayed 0");
        assertThat(recorder.requests).containsExactly(parked, fromListener);
    }

    @Test
    @Rule("DRAIN-22")
    void shouldWaitForAListenerThatStillHasWork() {
        List<String> work = new ArrayList<>(List.of("one more"));
        backend.addListener(new BackendListener() {
            @Override
            public boolean drainedPoll() {
                return !work.isEmpty();
            }
        });
        machine.main.execute(() -> {
            work.clear();
            machine.main.wake();
        });

        DrainedSection.begin(top).close();

        assertThat(work).isEmpty();
    }

    @Test
    @Rule("DRAIN-52")
    void shouldBalanceListenersThatComeAndGoInsideASection() {
        List<String> log = new ArrayList<>();
        BackendListener listener = logging(log);

        DrainedSection section = DrainedSection.begin(top);
        backend.addListener(listener);
        assertThat(log).containsExactly("drainedBegin");
        backend.removeListener(listener);
        section.close();

        assertThat(log).containsExactly("drainedBegin", "drainedEnd");
    }

    @Test
    @Rule("DRAIN-52")
    void shouldTellNothingToAListenerThatAnotherOneHasRemovedBefore() {
        List<String> log = new ArrayList<>();
        BackendListener second = logging(log);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                backend.removeListener(second);
            }
        });
        backend.addListener(second);

        DrainedSection.begin(backend).close();

        assertThat(log).isEmpty();
    }

    @Test
    @Rule("DRAIN-52")
    @Rule("BUG-49")
    void shouldBalanceListenersThatAHookAddsAndRemoves() {
        List<String> log = new ArrayList<>();
        BackendListener early = logging(log);
        BackendListener late = logging(log);
        backend.addListener(early);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                backend.addListener(late);
                backend.removeListener(early);
            }
        });

        DrainedSection.begin(backend).close();

        assertThat(log).containsExactly(
                "drainedBegin", "drainedBegin", "drainedEnd", "drainedEnd");
    }

    @Test
    @Rule("DRAIN-9")
    void shouldCoverWorkThatAHookPostedUnderAHold() {
        List<String> log = new ArrayList<>();
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                Hold hold = backend.gate().hold("detach", machine.main);
                machine.main.post(task(() -> {
                    log.add("detached");
                    hold.close();
                }));
            }
        });

        DrainedSection section = DrainedSection.begin(top);
        assertThat(log).containsExactly("detached");
        section.close();
    }

    @Test
    @Rule("TH-77")
    @Rule("DRAIN-9")
    @Rule("GR-5")
    @Rule("DRAIN-18")
    void shouldRefuseAChangeOfTheGraphFromAHook() {
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                machine.graph.remove(top);
            }
        });

        DrainedSection.begin(top).close();

        assertThat(machine.errors).hasSize(1);
        assertThat(machine.errors.get(0)).contains("from within a hook", "remove(top)");
        machine.errors.clear();
        assertThat(machine.graph.find("top")).isSameAs(top);
        assertThat(top.isQuiesced()).isFalse();
    }

    @Test
    @Rule("DRAIN-9")
    @Rule("I9")
    @Rule("BUG-48")
    void shouldRefuseToWaitInAHook() {
        BlockBackend other = machine.backend("other", back, machine.main);
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                DrainedSection.begin(other).close();
            }

            @Override
            public void drainedEnd() {
                DrainedSection.begin(back).close();
            }
        });

        DrainedSection.begin(top).close();

        assertThat(machine.errors).hasSize(2).allSatisfy(
                error -> assertThat(error).contains("a drained section of", "within a hook"));
        machine.errors.clear();
        assertThat(other.isQuiesced()).isFalse();
        assertThat(back.isQuiesced()).isFalse();
        DrainedSection.begin(other).close();
    }

    @Test
    @Rule("DRAIN-9")
    @Rule("AIO-39")
    void shouldRefuseAPollInAHook() {
        backend.addListener(new BackendListener() {
            @Override
            public void drainedBegin() {
                machine.main.poll(0);
            }

            @Override
            public boolean drainedPoll() {
                return machine.main.poll(0);
            }

            @Override
            public void drainedEnd() {
                machine.main.poll(0);
            }
        });

        DrainedSection.begin(top).close();

        assertThat(machine.errors).hasSizeGreaterThanOrEqualTo(3).allSatisfy(
                error -> assertThat(error).contains("context " + machine.main.name(),
                        Thread.currentThread().getName(), "hook", "DRAIN-9"));
        machine.errors.clear();
        assertThat(top.isQuiesced()).isFalse();
        assertThat(machine.main.poll(0)).isFalse();
    }

    private static BackendListener logging(List<String> log) {
        return new BackendListener() {
            @Override
            public void drainedBegin() {
                log.add("drainedBegin");
            }

            @Override
            public void drainedEnd() {
                log.add("drainedEnd");
            }
        };
    }

    private static Task task(Runnable body) {
        return new Task() {
            @Override
            protected void run() {
                body.run();
            }
        };
    }
}
