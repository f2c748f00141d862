/**
 * Checks of the sources, packages and modules themselves: what no compiler says, said by a test.
 *
 * <p>{@code PackageTableTest} holds the table of who may import whom, {@code TidyTest} the limits
 * and banned calls of the house style, {@code ModuleTest} what a user of the module path sees, and
 * {@code DocsTest} the links between documents. Each test lists all offenders at once.
 */
package dev.quiesce.checks;
