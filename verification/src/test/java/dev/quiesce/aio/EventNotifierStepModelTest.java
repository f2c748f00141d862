package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import org.junit.jupiter.api.Test;

/** Sets against attach, detach and the handler: no set is lost, no handler runs detached. */
class EventNotifierStepModelTest {
    private static final String LOST = "a set was never handled";
    private static final String LATE = "the handler ran after its detach";

    @Test
    @Rule("AIO-24")
    void shouldHandleEverySetThatRacesWithAnAttach() {
        StepReport report = model()
                .actor("setter", a -> EventWorld.setter(a, 0))
                .actor("another", a -> EventWorld.setter(a, 1))
                .actor("attacher", a -> EventWorld.attacher(a, 0, true))
                .actor("handler", a -> EventWorld.handler(a, 0, true, true))
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-24")
    void shouldLoseNothingWhenItMovesToAnotherContext() {
        StepReport report = move(true, true, true).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteAnAttachThatDoesNotLookAtTheFlag() {
        StepReport report = move(false, true, true).explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteAHandlerThatClearsTheFlagBeforeItLeavesTheQueue() {
        StepReport report = model()
                .actor("setter", a -> EventWorld.setter(a, 0))
                .actor("another", a -> EventWorld.setter(a, 1))
                .actor("attacher", a -> EventWorld.attacher(a, 0, true))
                .actor("handler", a -> EventWorld.handler(a, 0, false, true))
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteAHandlerThatDoesNotAskWhetherItIsCurrent() {
        StepReport report = move(true, true, false).explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(LATE);
    }

    private static StepModel<EventWorld> move(boolean looks, boolean unclaims, boolean asks) {
        return model()
                .actor("setter", a -> EventWorld.setter(a, 0))
                .actor("another", a -> EventWorld.setter(a, 1))
                .actor("control of A", a -> {
                    EventWorld.attacher(a, 0, looks);
                    EventWorld.detacher(a);
                })
                .actor("handler in A", a -> EventWorld.handler(a, 0, unclaims, asks))
                .actor("control of B", a -> {
                    a.stepWhen("waits for A", w -> w.detached, w -> { });
                    EventWorld.attacher(a, 1, looks);
                })
                .actor("handler in B", a -> EventWorld.handler(a, 1, unclaims, asks));
    }

    private static StepModel<EventWorld> model() {
        return StepModel.of("sets against attach and detach", EventWorld::new)
                .fingerprint(EventWorld::toString)
                .showing(EventWorld::toString)
                .always(LATE, w -> !w.late)
                .inTheEnd(LOST, w -> w.handled == w.done);
    }

    /** One notifier and two contexts, each with a home thread and a queue. */
    private static final class EventWorld {
        final EventNotifier notifier = new EventNotifier("kick");
        final Home[] homes = {new Home("A", notifier), new Home("B", notifier)};
        final Home[] read = new Home[2];
        int done;
        int handled;
        boolean detached;
        boolean late;

        /** Does something, then sets the event: the steps of {@code EventNotifier.set}. */
        static void setter(StepProgram<EventWorld> program, int self) {
            program.step("does something", w -> w.done++)
                    .branch("sets the flag", w -> w.notifier.raise() ? null : END)
                    .branch("reads the attachment", w -> {
                        w.read[self] = w.current();
                        return w.read[self] == null ? END : null;
                    })
                    .branch("claims it", w -> w.read[self].claim() ? null : END)
                    .step("queues it", w -> w.read[self].queued = true);
        }

        /** The steps of {@code EventNotifier.attach}, in the home context. */
        static void attacher(StepProgram<EventWorld> program, int home, boolean looks) {
            program.stepWhen("attaches", w -> !w.homes[home].busy, w -> {
                w.homes[home].busy = true;
                w.notifier.publish(w.homes[home].attachment);
            });
            program.branch("is the flag set?",
                    w -> looks && w.notifier.isSet() ? null : "has attached");
            program.branch("claims", w -> w.homes[home].claim() ? null : "has attached");
            program.step("queues", w -> w.homes[home].queued = true);
            program.step("has attached", w -> w.homes[home].busy = false);
        }

        /** Detaches in context A. */
        static void detacher(StepProgram<EventWorld> program) {
            program.stepWhen("detaches", w -> !w.homes[0].busy, w -> {
                w.notifier.detach();
                w.detached = true;
            });
        }

        /** The steps of the queued attachment in its home context. */
        static void handler(
                StepProgram<EventWorld> program, int home, boolean unclaimsFirst, boolean asks) {
            program.serves();
            program.stepWhen("leaves the queue",
                    w -> w.homes[home].queued && !w.homes[home].busy,
                    w -> w.homes[home].leaveQueue());
            program.step("unclaims", w -> {
                if (unclaimsFirst) {
                    w.homes[home].unclaim();
                }
            });
            program.branch("is it current?",
                    w -> !asks || w.current() == w.homes[home] ? null : "returns");
            program.branch("clears the flag",
                    w -> w.notifier.testAndClear() ? null : "returns");
            program.step("handles", w -> {
                w.handled = w.done;
                w.late |= home == 0 && w.detached;
            });
            program.branch("returns", w -> {
                if (!unclaimsFirst) {
                    w.homes[home].unclaim();
                }
                w.homes[home].busy = false;
                return "leaves the queue";
            });
        }

        private Home current() {
            EventNotifier.Attachment attached = notifier.attachedVolatile();
            return attached == homes[0].attachment ? homes[0]
                    : attached == homes[1].attachment ? homes[1] : null;
        }

        @Override
        public String toString() {
            return (notifier.isSet() ? "set, " : "clear, ") + current() + " attached, " + homes[0]
                    + homes[1] + " " + handled + " of " + done + " handled"
                    + (read[0] == null ? "" : " read " + read[0].name)
                    + (read[1] == null ? "" : " and " + read[1].name)
                    + (detached ? " detached" : "");
        }
    }

    /** A context, its thread, and the place of the attachment in its queue. */
    private static final class Home {
        final String name;
        final EventNotifier.Attachment attachment;
        boolean busy;
        boolean queued;
        boolean claimed;

        Home(String name, EventNotifier notifier) {
            this.name = name;
            AioContext context = new AioContext(name, LoopSeams.system());
            context.acquire();
            attachment = new EventNotifier.Attachment(notifier, context, () -> { });
        }

        boolean claim() {
            claimed = true;
            return attachment.claim();
        }

        void unclaim() {
            claimed = false;
            attachment.unclaim();
        }

        void leaveQueue() {
            queued = false;
            busy = true;
        }

        @Override
        public String toString() {
            return name + (busy ? " busy" : "") + (queued ? " queued" : "")
                    + (claimed ? " claimed " : " ");
        }
    }
}
