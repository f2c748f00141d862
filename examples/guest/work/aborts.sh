# aborts.sh: fio writes and verifies LUN 0, on both CPUs, again and again until another disk comes;
# a command that takes longer than three seconds is aborted.
. /work/lib.sh
[ -b /dev/sda ] || fail "no disk"
step modprobe scsi_aborts host=0
dmesg | grep 'scsi_aborts: host 0 without virtscsi_' || fail "the driver had no handler"
echo 3 >/sys/block/sda/device/timeout
echo "guest: load begins"
while [ ! -b /dev/sdb ]; do
    fio --name=aborts --filename=/dev/sda --direct=1 --rw=randrw --bsrange=4k-32k --iodepth=8 --ioengine=libaio \
        --numjobs=2 --size=50% --offset_increment=50% --cpus_allowed=0,1 --cpus_allowed_policy=split \
        --verify=crc32c --verify_backlog=64 --verify_fatal=1 --time_based --runtime=10 --group_reporting \
        >/tmp/fio.log 2>&1 || { cat /tmp/fio.log; fail "fio"; }
    grep -E 'read:|write:|err=|verify' /tmp/fio.log
done
echo "guest: load ended"
[ "$(cat /sys/block/sda/device/state)" = running ] || fail "the disk is $(cat /sys/block/sda/device/state)"
check_kernel
