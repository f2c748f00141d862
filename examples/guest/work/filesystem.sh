# filesystem.sh SECONDS: lists the disk, puts a file system on it, compares what it reads back, then
# has fio write and verify blocks for some time.
. /work/lib.sh
/usr/bin/lsscsi -g || fail "no list"
[ -b /dev/sda ] || fail "no disk"
step sg_inq /dev/sg0
step sg_readcap --16 /dev/sg0
step mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 /dev/sda
step mount -t ext4 /dev/sda /mnt
for directory in 1 2 3 4 5 6; do
    mkdir -p /mnt/$directory/below
    dd if=/dev/urandom of=/mnt/$directory/data bs=64k count=20 2>/tmp/dd.log || fail "dd"
    cp /mnt/$directory/data /mnt/$directory/below/copy || fail "cp"
done
cp -r /work /mnt/work
(cd /mnt && find . -type f | sort | xargs sha256sum) >/tmp/sums
step sync
step umount /mnt
echo 3 >/proc/sys/vm/drop_caches
step mount -t ext4 /dev/sda /mnt
(cd /mnt && sha256sum -c /tmp/sums) >/tmp/compared 2>&1 || { grep -v OK /tmp/compared; fail "sums differ"; }
echo "guest: $(grep -c OK /tmp/compared) files are what they were"
step umount /mnt
step e2fsck -f -n /dev/sda
step fio --name=verify --filename=/dev/sda --direct=1 --rw=randrw --bsrange=4k-64k --iodepth=8 --ioengine=libaio \
    --size=100% --verify=crc32c --verify_backlog=128 --verify_fatal=1 --time_based --runtime="$1"
grep -E 'read:|write:|err=' /tmp/step.log
check_kernel
