package dev.quiesce.testkit;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The states that a {@link StepModel} reached, and the steps between them. Confined to one
 * exploration.
 */
final class StepGraph {
    /** The parent of the start state. */
    static final int NONE = -1;

    private final Map<Object, Integer> known = new HashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private long steps;

    int size() {
        return nodes.size();
    }

    long steps() {
        return steps;
    }

    boolean isPossible(int node, int actor) {
        return (nodes.get(node).possible & 1 << actor) != 0;
    }

    /**
     * Enters the state that a step led to. Returns false if it is known with other possibilities.
     */
    boolean enter(Object key, int from, int actor, int possible) {
        Integer node = known.putIfAbsent(key, nodes.size());
        if (node == null) {
            node = nodes.size();
            nodes.add(new Node(from, actor, possible));
        }
        if (from != NONE) {
            nodes.get(from).successors.add(node);
            steps++;
        }
        return nodes.get(node).possible == possible;
    }

    /** The shortest schedule to a node: one actor for each step. */
    int[] scheduleTo(int node) {
        List<Integer> backwards = new ArrayList<>();
        for (int i = node; nodes.get(i).parent != NONE; i = nodes.get(i).parent) {
            backwards.add(nodes.get(i).actor);
        }
        int[] schedule = new int[backwards.size()];
        for (int i = 0; i < schedule.length; i++) {
            schedule[i] = backwards.get(schedule.length - 1 - i);
        }
        return schedule;
    }

    /** The state reached first from which no path comes to an end; {@link #NONE} if each may. */
    int firstWithoutEnd() {
        List<List<Integer>> predecessors = new ArrayList<>();
        nodes.forEach(node -> predecessors.add(new ArrayList<>(3)));
        boolean[] ends = new boolean[nodes.size()];
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (int to : nodes.get(i).successors) {
                predecessors.get(to).add(i);
            }
            if (nodes.get(i).successors.isEmpty()) {
                ends[i] = true;
                found.add(i);
            }
        }
        for (int i = 0; i < found.size(); i++) {
            for (int from : predecessors.get(found.get(i))) {
                if (!ends[from]) {
                    ends[from] = true;
                    found.add(from);
                }
            }
        }
        for (int i = 0; i < ends.length; i++) {
            if (!ends[i]) {
                return i;
            }
        }
        return NONE;
    }

    /** The number of paths from the start to the ends; null if there is a cycle. */
    @Nullable BigInteger countSchedules() {
        int[] missing = new int[nodes.size()];
        for (Node node : nodes) {
            for (int to : node.successors) {
                missing[to]++;
            }
        }
        BigInteger[] paths = new BigInteger[nodes.size()];
        paths[0] = BigInteger.ONE;
        List<Integer> ready = new ArrayList<>(List.of(0));
        BigInteger complete = BigInteger.ZERO;
        for (int i = 0; i < ready.size() && missing[0] == 0; i++) {
            Node node = nodes.get(ready.get(i));
            BigInteger here = paths[ready.get(i)];
            if (node.successors.isEmpty()) {
                complete = complete.add(here);
            }
            for (int to : node.successors) {
                paths[to] = paths[to] == null ? here : paths[to].add(here);
                if (--missing[to] == 0) {
                    ready.add(to);
                }
            }
        }
        return ready.size() == nodes.size() ? complete : null;
    }

    /** A state: how it was reached first, who can move in it, and where that leads. */
    private static final class Node {
        final int parent;
        final int actor;
        final int possible;
        final List<Integer> successors = new ArrayList<>(3);

        Node(int parent, int actor, int possible) {
            this.parent = parent;
            this.actor = actor;
            this.possible = possible;
        }
    }
}
