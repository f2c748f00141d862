/** Tests of what a back end leaves for the next one. */
package dev.quiesce.vhostuser.inflight;
