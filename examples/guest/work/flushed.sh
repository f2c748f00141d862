# flushed.sh write: writes block after block, each durable before it is announced, until killed.
# flushed.sh check N: compares the first N of them.
. /work/lib.sh
block() {
    yes "this is block $1" | head -c 4096
}
case $1 in
write)
    n=0
    while true; do
        block $n | dd of=/dev/sda bs=4096 seek=$n conv=fsync,notrunc 2>/tmp/dd.log || fail "dd"
        n=$((n + 1))
        echo "guest: flushed $n"
    done ;;
check)
    n=0
    while [ $n -lt "$2" ]; do
        block $n >/tmp/wanted
        dd if=/dev/sda of=/tmp/found bs=4096 skip=$n count=1 iflag=direct 2>/tmp/dd.log || fail "dd"
        cmp /tmp/wanted /tmp/found || fail "block $n"
        n=$((n + 1))
    done
    echo "guest: $n blocks are what they were"
    check_kernel ;;
esac
