package dev.quiesce.virtio.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.rules.Rule;
import java.util.List;
import org.junit.jupiter.api.Test;

class QueueMappingTest {
    private final AioContext first = new AioContext("first", LoopSeams.system());
    private final AioContext second = new AioContext("second", LoopSeams.system());

    @Test
    @Rule("DP-4")
    void shouldDealQueuesOutInTurn() {
        QueueMapping mapping = QueueMapping.roundRobin(List.of(first, second), 5);

        assertThat(mapping).isInstanceOfSatisfying(QueueMapping.Fixed.class, fixed ->
                assertThat(fixed.contexts())
                        .containsExactly(first, second, first, second, first));
    }

    @Test
    void shouldRefuseAContextThatIsNamedTwice() {
        assertThatThrownBy(() -> QueueMapping.roundRobin(List.of(first, second, first), 5))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("first");
    }
}
