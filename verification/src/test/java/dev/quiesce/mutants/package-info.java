/**
 * Shows that citations mean something: for a random sample of cited rules, code that breaks the
 * rule must turn the citing test red. The mutants are in {@code src/test/mutants}; how they are
 * written is told by {@link dev.quiesce.checks.MutantCatalogue}.
 */
package dev.quiesce.mutants;
