package dev.quiesce.graph;

import dev.quiesce.drain.Drainable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Brings nodes that are about to be connected into one context (GR-32). */
final class Alignment {
    /*
     * The components meet where the first node is, if all the others agree to come; else where the
     * second one is, and so on. If no place suits everybody the first refusal stands. Nothing moves
     * here, and since every component is visited once per place and asked as a whole, no plan
     * overlaps another.
     */
    private final List<ContextChange> moves = new ArrayList<>();

    static Alignment of(List<BlockNode> nodes) {
        Alignment out = new Alignment();
        if (nodes.isEmpty()) {
            return out;
        }
        List<BlockNode> distinct = onePerComponent(nodes);
        BlockLayerException first = null;
        for (BlockNode meeting : distinct) {
            try {
                out.moves.clear();
                for (BlockNode node : distinct) {
                    out.moves.add(ContextChange.plan(node, meeting.context(), null));
                }
                return out;
            } catch (BlockLayerException refused) {
                first = first == null ? refused : first;
            }
        }
        throw first == null ? new IllegalStateException("no nodes to align") : first;
    }

    private static List<BlockNode> onePerComponent(List<BlockNode> nodes) {
        List<BlockNode> out = new ArrayList<>();
        Set<BlockNode> seen = ContextChange.orderedSet();
        for (BlockNode node : nodes) {
            if (!seen.contains(node)) {
                seen.addAll(ContextChange.connected(node));
                out.add(node);
            }
        }
        return out;
    }

    Collection<Drainable> drained() {
        Set<Drainable> out = ContextChange.orderedSet();
        moves.forEach(move -> out.addAll(move.drained()));
        return out;
    }

    boolean isMove() {
        return moves.stream().anyMatch(ContextChange::isMove);
    }

    void commit(GraphCommit commit) {
        moves.forEach(commit::move);
    }
}
