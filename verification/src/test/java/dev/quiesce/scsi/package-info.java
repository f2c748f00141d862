/**
 * Step models of a purge: every interleaving of the atomic steps of the real classes.
 *
 * <p>The tests sit in the package of the classes they drive, because the steps are package-private.
 */
package dev.quiesce.scsi;
