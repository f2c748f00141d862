package dev.quiesce.aio;

/** An inbox in which something happens just before it is sealed for the first time. */
final class RacedInbox extends DelegatingInbox {
    Runnable beforeSeal = () -> { };

    @Override
    public boolean sealIfEmpty() {
        Runnable now = beforeSeal;
        beforeSeal = () -> { };
        now.run();
        return super.sealIfEmpty();
    }
}
