// SPDX-License-Identifier: MIT
/*
 * Lets Linux abort SCSI commands that are late, also those of a driver that only waits.
 *
 * A command whose timer expires is first shown to its host's eh_timed_out handler; if there is none,
 * or it does not want it, the mid layer aborts the command (Documentation/scsi/scsi_eh.rst). The
 * handler of virtio_scsi always asks for more time, so a virtio disk never sees an abort that the
 * driver could very well send. As long as this module is loaded, the host has no such handler.
 *
 *     modprobe scsi_aborts host=0
 */
#include <linux/module.h>
#include <scsi/scsi_host.h>

static unsigned short host;
module_param(host, ushort, 0444);
MODULE_PARM_DESC(host, "the number of the SCSI host");

static struct Scsi_Host *shost;
static typeof(((struct scsi_host_template *)NULL)->eh_timed_out) former;

static int __init scsi_aborts_init(void)
{
	shost = scsi_host_lookup(host);
	if (!shost)
		return -ENODEV;
	former = shost->hostt->eh_timed_out;
	WRITE_ONCE(shost->hostt->eh_timed_out, NULL);
	pr_info("scsi_aborts: host %hu without %ps\n", host, former);
	return 0;
}

static void __exit scsi_aborts_exit(void)
{
	WRITE_ONCE(shost->hostt->eh_timed_out, former);
	scsi_host_put(shost);
}

module_init(scsi_aborts_init);
module_exit(scsi_aborts_exit);
MODULE_DESCRIPTION("Aborts late commands of a SCSI host whose driver only waits");
MODULE_LICENSE("Dual MIT/GPL");
