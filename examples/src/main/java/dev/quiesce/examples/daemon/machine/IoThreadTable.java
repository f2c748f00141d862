package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.examples.daemon.option.IoThreadOptions;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;

/** The IOThreads by their names. Main context. */
final class IoThreadTable {
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,30}");

    private final AioContext main;
    private final Map<String, Entry> threads = new LinkedHashMap<>();

    IoThreadTable(AioContext main) {
        this.main = main;
    }

    /** One thread, what was asked for, and how many nodes are on their way to it. */
    static final class Entry {
        private final IoThreadOptions options;
        private final IoThread thread;
        private int moves;

        Entry(IoThreadOptions options, IoThread thread) {
            this.options = options;
            this.thread = thread;
        }

        IoThreadOptions options() {
            return options;
        }

        IoThread thread() {
            return thread;
        }

        AioContext context() {
            return thread.context();
        }

        void moveBegins() {
            moves++;
        }

        void moveEnds() {
            moves--;
        }

        boolean hasMoves() {
            return moves > 0;
        }
    }

    void add(IoThreadOptions options) {
        String id = options.id();
        if (!WELL_FORMED.matcher(id).matches()) {
            throw new WrongOptionException("parameter 'id': expected a letter, then letters,"
                    + " digits, '-', '.', '_', at most 31 characters, not '" + id + "'");
        }
        if (threads.containsKey(id) || id.equals(main.name())) {
            throw new WrongOptionException("the object '" + id + "' is there already");
        }
        IoThread thread = IoThread.start(
                IoThreadConfig.withOwnPool(id, job -> new Thread(job, id), main.seams())
                        .withProperties(options.properties()));
        threads.put(id, new Entry(options, thread));
    }

    Entry require(String id) {
        Entry entry = threads.get(id);
        if (entry == null) {
            throw new WrongOptionException("there is no IOThread '" + id + "'; there are: "
                    + (threads.isEmpty() ? "none" : String.join(", ", threads.keySet())));
        }
        return entry;
    }

    List<Entry> all() {
        return List.copyOf(threads.values());
    }

    /** Ends a thread that serves nothing. */
    CompletionStage<Void> remove(String id) {
        Entry entry = require(id);
        threads.remove(id);
        return HostWork.run(main, "end of IOThread " + id, () -> {
            entry.thread().close();
            return null;
        });
    }

    /** At the end of the machine, when nothing is served any more; waits for each. */
    void closeAll() {
        new ArrayList<>(threads.values()).forEach(entry -> entry.thread().close());
        threads.clear();
    }
}
