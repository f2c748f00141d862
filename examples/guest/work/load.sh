# load.sh SECONDS: fio writes and verifies LUN 0 while LUN resets go on here and the host does what it
# likes with the disks. Commands may take longer than the driver is told to wait.
. /work/lib.sh
/usr/bin/lsscsi -g
[ -b /dev/sda ] || fail "no disk"
echo 3 >/sys/block/sda/device/timeout
touch /tmp/loaded
(
    while [ -e /tmp/loaded ]; do
        sg_reset -d /dev/sg0 || echo "guest: FAILED sg_reset"
        sleep 1
    done
) &
echo "guest: load begins"
fio --name=load --filename=/dev/sda --direct=1 --rw=randrw --bsrange=4k-32k --iodepth=8 --ioengine=libaio \
    --verify=crc32c --verify_backlog=64 --verify_fatal=1 --time_based --runtime="$1" >/tmp/fio.log 2>&1
code=$?
rm /tmp/loaded
echo "guest: load ended with $code"
grep -E 'read:|write:|err=|verify' /tmp/fio.log
[ $code = 0 ] || fail "fio"
wait
dmesg | grep -E ' sd[b-z]|scsi [0-9]+:|[0-9]+:0:0:|capacity' | tail -60
check_kernel
