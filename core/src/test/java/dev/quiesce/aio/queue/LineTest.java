package dev.quiesce.aio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LineTest {
    private final Line<Item> line = new Line<>();

    @Test
    void shouldHandOutWhatHasWaitedLongest() {
        Item first = added();
        Item second = added();

        assertThat(line.peek()).isSameAs(first);
        assertThat(line.size()).isEqualTo(2);
        assertThat(line.poll()).isSameAs(first);
        assertThat(line.poll()).isSameAs(second);
        assertThat(line.poll()).isNull();
        assertThat(line.peek()).isNull();
        assertThat(line.isEmpty()).isTrue();
    }

    @Test
    void shouldNotFindWhatIsInAnotherLine() {
        added();
        Item elsewhere = new Item();
        Line<Item> other = new Line<>();
        other.add(elsewhere);

        assertThat(line.remove(elsewhere)).isFalse();
        assertThat(line.remove(new Item())).isFalse();

        assertThat(other.poll()).isSameAs(elsewhere);
        assertThat(line.size()).isEqualTo(1);
    }

    @Test
    void shouldRefuseWhatIsInALine() {
        Item item = added();

        assertThatThrownBy(() -> new Line<Item>().add(item))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("in a line");
    }

    @Test
    void shouldDoWhatADequeDoes() {
        Random random = new Random(1);
        ArrayDeque<Item> model = new ArrayDeque<>();
        for (int i = 0; i < 10_000; i++) {
            switch (random.nextInt(4)) {
                case 0, 1 -> model.add(added());
                case 2 -> assertThat(line.poll()).isSameAs(model.poll());
                default -> removeAnyFrom(model, random);
            }
            assertThat(line.size()).isEqualTo(model.size());
            assertThat(line.peek()).isSameAs(model.peek());
        }
        List<Item> left = new ArrayList<>();
        line.forEach(left::add);
        assertThat(left).containsExactlyElementsOf(model);
    }

    private void removeAnyFrom(ArrayDeque<Item> model, Random random) {
        if (!model.isEmpty()) {
            Item item = List.copyOf(model).get(random.nextInt(model.size()));
            model.remove(item);
            assertThat(line.remove(item)).isTrue();
            assertThat(line.remove(item)).isFalse();
        }
    }

    private Item added() {
        Item item = new Item();
        line.add(item);
        return item;
    }

    private static final class Item extends Linked {
    }
}
