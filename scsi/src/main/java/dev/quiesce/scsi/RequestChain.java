package dev.quiesce.scsi;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An intrusive list of requests, oldest first. A request is on one chain at most. Home context
 * only.
 */
final class RequestChain {
    private @Nullable ScsiRequest oldest;
    private @Nullable ScsiRequest newest;
    private int length;

    int length() {
        return length;
    }

    void append(ScsiRequest request) {
        ScsiRequest last = newest;
        assert request.chain == null && request.older == null && request.newer == null : request;
        assert last == null || last.sequence < request.sequence : request;
        request.chain = this;
        request.older = last;
        if (last == null) {
            oldest = request;
        } else {
            last.newer = request;
        }
        newest = request;
        length++;
    }

    void remove(ScsiRequest request) {
        assert request.chain == this : request;
        ScsiRequest before = request.older;
        ScsiRequest after = request.newer;
        if (before == null) {
            oldest = after;
        } else {
            before.newer = after;
        }
        if (after == null) {
            newest = before;
        } else {
            after.older = before;
        }
        request.chain = null;
        request.older = null;
        request.newer = null;
        length--;
    }

    /*
     * The visitor may remove any request of the chain, answer it, and even let the adapter prepare
     * and execute the same object again before it returns, here or on another unit, whose chain
     * counts for itself; so neither a link nor identity is trusted across a visit. What is trusted
     * is the order of arrival: sequence numbers only grow along the chain, and one that arrives
     * during the iteration has a number beyond the bound. If the request just visited is still on
     * this chain with its number the next one is its neighbour, else the chain is searched from its
     * old end, which for a visitor that cancels everything is the first look.
     */
    void forEach(long boundSequence, Consumer<ScsiRequest> visitor) {
        ScsiRequest at = oldest;
        while (at != null && at.sequence < boundSequence) {
            long seen = at.sequence;
            visitor.accept(at);
            boolean stillThere = at.chain == this && at.sequence == seen;
            at = stillThere ? at.newer : firstAfter(seen);
        }
    }

    private @Nullable ScsiRequest firstAfter(long sequence) {
        ScsiRequest at = oldest;
        while (at != null && at.sequence <= sequence) {
            at = at.newer;
        }
        return at;
    }
}
