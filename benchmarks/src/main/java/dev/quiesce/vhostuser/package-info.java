/**
 * What a kick costs that comes by a descriptor.
 */
package dev.quiesce.vhostuser;
