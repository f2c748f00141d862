# latency.sh ROUNDS: reads of 4 KiB from each disk in turn, by the round. The disks are those of
# benchmarks/guest.sh: LUNs 0 memory, 1 null, 2 file here; null (128 MiB) and file (64 MiB) there.
. /work/lib.sh
modprobe virtio_blk || fail "no virtio_blk"
while [ ! -b /dev/vdb ]; do sleep 0.1; done
for disk in /sys/block/sd*; do
    case $(basename "$(readlink "$disk/device")") in
    *:0) memory=/dev/${disk##*/} ;;
    *:1) null=/dev/${disk##*/} ;;
    *:2) file=/dev/${disk##*/} ;;
    esac
done
qsd_null=/dev/vda
qsd_file=/dev/vdb
if [ "$(cat /sys/block/vda/size)" = 131072 ]; then
    qsd_null=/dev/vdb
    qsd_file=/dev/vda
fi
# All that have contents have the same.
step dd if=$qsd_file of="$memory" bs=256k oflag=direct
step cmp $qsd_file "$file"
step cmp $qsd_file "$memory"
measure() {
    fio --name=read --filename="$2" --direct=1 --rw=randread --bs=4k --size=64M --norandommap --ioengine=libaio \
        --iodepth="$3" --time_based --ramp_time=1 --runtime=3 --percentile_list=50:99 --minimal >/tmp/fio.log 2>&1 ||
        { cat /tmp/fio.log; fail "fio"; }
    awk -F';' -v disk="$1" -v depth="$3" '$1 == 3 { sub(/.*=/, "", $18); sub(/.*=/, "", $19)
        print "guest: read", disk, depth, $8, $18, $19 }' /tmp/fio.log
}
round=0
while [ $round -lt "$1" ]; do
    round=$((round + 1))
    for depth in 1 32; do
        measure our-null "$null" $depth
        measure qsd-null $qsd_null $depth
        measure our-memory "$memory" $depth
        measure qsd-file $qsd_file $depth
        measure our-file "$file" $depth
    done
done
check_kernel
