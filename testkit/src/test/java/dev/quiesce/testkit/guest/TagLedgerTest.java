package dev.quiesce.testkit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TagLedgerTest {
    private final TagLedger ledger = new TagLedger();

    @Test
    void shouldNameEachLateTagOnceAndComplainOnce() {
        ledger.open(7, "a read", 0);
        ledger.open(8, "a write", 90);

        assertThat(ledger.findLate(100, 100)).isEmpty();
        assertThat(ledger.findLate(101, 100)).containsExactly(7L);
        assertThat(ledger.findLate(150, 100)).isEmpty();
        assertThat(ledger.findLate(200, 100)).containsExactly(8L);
        assertThat(ledger.complaints()).hasSize(2).first().asString().contains("a read");
        assertThat(ledger.breaches()).isEmpty();
    }

    @Test
    void shouldComplainAboutAnAnswerThatIsNotOwed() {
        ledger.open(7, "a read", 0);

        ledger.answered(7, 10);
        ledger.answered(7, 20);

        assertThat(ledger.complaints()).containsExactly("tag 7 was answered and not owed");
        assertThat(ledger.breaches()).isEqualTo(ledger.complaints());
        assertThat(ledger.openTags()).isZero();
        assertThat(ledger.oldestEverNanos()).isEqualTo(10);
    }

    @Test
    void shouldNotCountAsAnsweredWhatIsNotOwedAnyMore() {
        ledger.open(7, "a read", 0);

        ledger.forgiven(7);

        assertThat(ledger.openTags()).isZero();
        assertThat(ledger.opened()).isOne();
        assertThat(ledger.answered()).isZero();
        assertThat(ledger.complaints()).isEmpty();
    }

    @Test
    void shouldComplainAboutATagGivenOutTwice() {
        ledger.open(7, "a read", 0);
        ledger.open(7, "a write", 1);

        assertThat(ledger.complaints()).hasSize(1).first().asString().contains("tag 7", "twice");
    }
}
