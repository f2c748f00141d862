package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import dev.quiesce.graph.BlockNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The drained sections that one client holds open, by node. Main context. */
public final class HeldSections {
    private final AioContext main;

    /** Null while the section is beginning. */
    private final Map<String, @Nullable DrainedSection> sections = new LinkedHashMap<>();
    private boolean closed;

    HeldSections(AioContext main) {
        this.main = main;
    }

    /**
     * Begins a section and keeps it open.
     *
     * @param node what to drain
     * @return completes when nothing runs there any more
     */
    CompletionStage<Void> quiesce(BlockNode node) {
        if (sections.containsKey(node.name())) {
            throw new WrongOptionException(
                    "this client has quiesced node '" + node.name() + "' already");
        }
        sections.put(node.name(), null);
        return DrainedSection.beginAsync(main, node).handle((section, failure) -> {
            if (failure != null) {
                sections.remove(node.name());
                throw Failures.rethrown(failure);
            }
            if (closed) {
                section.close();
                throw new IllegalStateException("the client has gone");
            }
            sections.put(node.name(), section);
            return null;
        });
    }

    /**
     * Ends a section.
     *
     * @param name the node
     */
    void resume(String name) {
        DrainedSection section = sections.get(name);
        if (section == null) {
            throw new WrongOptionException("this client has not quiesced node '" + name
                    + "'; it has quiesced: "
                    + (sections.isEmpty() ? "none" : String.join(", ", sections.keySet())));
        }
        sections.remove(name);
        section.close();
    }

    /** The client has gone: ends every section, also those that are still beginning. */
    void close() {
        closed = true;
        for (DrainedSection section : List.copyOf(sections.values().stream()
                .filter(each -> each != null).toList())) {
            section.close();
        }
        sections.clear();
    }
}
