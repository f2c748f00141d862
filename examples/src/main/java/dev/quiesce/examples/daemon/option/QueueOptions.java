package dev.quiesce.examples.daemon.option;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which IOThread serves which request queue of an export.
 *
 * @param threads the IOThread of each queue, in queue order; empty for the main loop
 * @param follows whether queues go where their disks go
 */
public record QueueOptions(List<String> threads, boolean follows) {
    /**
     * Copies the list.
     *
     * @param threads as the component
     * @param follows as the component
     */
    public QueueOptions {
        threads = List.copyOf(threads);
    }

    /**
     * Reads what an export says of its queues: one IOThread, several in turn, or a mapping.
     *
     * @param arguments of the export
     * @param queues how many request queues it has
     * @return the mapping
     * @throws WrongOptionException if it contradicts itself
     */
    static QueueOptions read(Arguments arguments, int queues) {
        boolean fixed = arguments.bool("fixed-iothread", false);
        List<String> inTurn = inTurn(arguments);
        List<Arguments> entries = arguments.objects("iothread-vq-mapping");
        if (!inTurn.isEmpty() && !entries.isEmpty()) {
            throw new WrongOptionException("parameter 'iothread-vq-mapping' excludes 'iothread'"
                    + " and 'iothreads'");
        }
        if (!entries.isEmpty()) {
            return new QueueOptions(mapped(entries, queues), false);
        }
        if (inTurn.size() <= 1) {
            return new QueueOptions(inTurn.isEmpty() ? List.of() : repeat(inTurn, queues), !fixed);
        }
        return new QueueOptions(repeat(inTurn, queues), false);
    }

    private static List<String> inTurn(Arguments arguments) {
        List<String> listed = new ArrayList<>(arguments.strings("iothread"));
        String joined = arguments.optionalString("iothreads");
        if (joined != null && !listed.isEmpty()) {
            throw new WrongOptionException("parameter 'iothreads' excludes 'iothread'");
        }
        if (joined != null) {
            listed.addAll(Arrays.asList(joined.split(":", -1)));
        }
        Set<String> seen = new HashSet<>();
        for (String name : listed) {
            if (name.isEmpty()) {
                throw arguments.unsuitable("iothreads", "names separated by ':'");
            }
            if (!seen.add(name)) {
                throw new WrongOptionException(
                        "parameter '" + (joined == null ? "iothread" : "iothreads")
                                + "': IOThread '" + name + "' is named twice");
            }
        }
        return listed;
    }

    /** Entries either all name their queues, or none does and they take turns (DP-3, DP-4). */
    private static List<String> mapped(List<Arguments> entries, int queues) {
        List<String> names = new ArrayList<>();
        String[] perQueue = new String[queues];
        int withQueues = 0;
        for (Arguments entry : entries) {
            String name = entry.string("iothread");
            if (names.contains(name)) {
                throw new WrongOptionException("parameter 'iothread-vq-mapping': IOThread '" + name
                        + "' is named twice");
            }
            names.add(name);
            List<Long> chosen = entry.integers("vqs", 0, queues - 1L);
            withQueues += chosen.isEmpty() ? 0 : 1;
            for (long queue : chosen) {
                if (perQueue[(int) queue] != null) {
                    throw new WrongOptionException("parameter 'iothread-vq-mapping': request queue "
                            + queue + " is given to '" + perQueue[(int) queue] + "' and '" + name
                            + "'");
                }
                perQueue[(int) queue] = name;
            }
            entry.finish();
        }
        if (withQueues == 0) {
            return repeat(names, queues);
        }
        if (withQueues < names.size()) {
            throw new WrongOptionException("parameter 'iothread-vq-mapping': either every entry"
                    + " has 'vqs', or none");
        }
        for (int i = 0; i < queues; i++) {
            if (perQueue[i] == null) {
                throw new WrongOptionException("parameter 'iothread-vq-mapping': nobody serves"
                        + " request queue " + i);
            }
        }
        return List.of(perQueue);
    }

    private static List<String> repeat(List<String> names, int queues) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < queues; i++) {
            out.add(names.get(i % names.size()));
        }
        return out;
    }
}
