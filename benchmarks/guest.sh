#!/usr/bin/env bash
#
# Measures reads of 4 KiB in a Linux guest: from our storage daemon by vhost-user-scsi, and from
# qemu-storage-daemon by vhost-user-blk, which is what it has. Both disks of a pair are in the same
# guest, and take turns.
#
#     benchmarks/guest.sh qemu|uml [ROUNDS [POLL_MAX_NS]]
#
# Build first: ./mvnw -q -DskipTests -pl examples -am package. JAVA_HOME chooses the JDK. Needs what
# examples/guest/setup.sh installs. POLL_MAX_NS (default 32768) is for the IOThreads of both: how long
# one looks for work before it sleeps. Prints a table of medians over the rounds (default 3) and
# keeps what the guest said in benchmarks/target/results.

set -euo pipefail
cd "$(dirname "$0")"

machine=${1:-}
rounds=${2:-3}
poll=${3:-32768}
guest=../examples/guest
jar=../examples/target/quiesce.jar
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
results=target/results/guest-$machine-$poll.log

case $machine in qemu | uml) ;; *) sed -n '3,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[[ -f $jar ]] || { echo "build first: ./mvnw -q -DskipTests -pl examples -am package" >&2; exit 2; }
$guest/setup.sh >&2
mkdir -p "$(dirname "$results")"

# In memory, where a file of the page cache is too, but nothing writes it back.
work=$(mktemp -d /dev/shm/quiesce.XXXXXX)
daemons=()
stop() {
    kill "${daemons[@]}" || true
    wait
    rm -rf "$work"
}
trap stop EXIT
head -c 64M /dev/urandom >"$work/image"

"$java" -jar $jar storage-daemon --object "iothread,id=io0,poll-max-ns=$poll" \
    --blockdev memory,node-name=memory,size=64M --blockdev "null,node-name=null,size=128M" \
    --blockdev "file,node-name=file,filename=$work/image,read-only=on" \
    --export "vhost-user-scsi,id=scsi,addr.type=unix,addr.path=$work/scsi,node-name=memory,node-name=null,node-name=file,iothread=io0" &
daemons+=($!)
qemu-storage-daemon --object "iothread,id=io0,poll-max-ns=$poll" \
    --blockdev "null-co,node-name=null,size=$((128 << 20)),read-zeroes=on" \
    --blockdev "file,node-name=file,filename=$work/image,read-only=on" \
    --export "vhost-user-blk,id=null,addr.type=unix,addr.path=$work/null,node-name=null,iothread=io0" \
    --export "vhost-user-blk,id=file,addr.type=unix,addr.path=$work/file,node-name=file,iothread=io0" &
daemons+=($!)
until [[ -S $work/scsi && -S $work/null && -S $work/file ]]; do
    for daemon in "${daemons[@]}"; do
        kill -0 "$daemon" # else it has said why it ended
    done
    sleep 0.1
done

$guest/boot.sh "$machine" "$work/scsi" 1 "sh /work/latency.sh $rounds" "$work/null" "$work/file" \
    >"$results" || { cat "$results" >&2; exit 1; }

echo "$machine, poll-max-ns $poll, $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg), JDK" \
    "$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/.*java.runtime.version = //p')," \
    "$(qemu-storage-daemon --version | head -1)"
# guest: read DISK DEPTH IOPS P50 P99, times in microseconds
tr -d '\r' <"$results" | sed -n 's/.*guest: read //p' | sort -k1,2 | awk '
    function median(values, count,    list, i, j, swap) {
        split(values, list)
        for (i = 2; i <= count; i++) {
            for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) {
                swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
            }
        }
        return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
    }
    function row(name, ours, theirs, depth,    a, b) {
        a = ours "," depth
        b = theirs "," depth
        printf "| %s, depth %s | %d | %d | %.2f | %d | %d | %.2f | %d | %d | %.2f |\n", name, depth, \
            p50[a], p50[b], p50[a] / p50[b], p99[a], p99[b], p99[a] / p99[b], iops[a], iops[b], iops[a] / iops[b]
    }
    { key = $1 "," $2; n[key]++; i[key] = i[key] " " $3; m[key] = m[key] " " $4; h[key] = h[key] " " $5 }
    END {
        for (key in n) { iops[key] = median(i[key], n[key]); p50[key] = median(m[key], n[key]); p99[key] = median(h[key], n[key]) }
        print "| ours / theirs | p50 us | | ratio | p99 us | | ratio | IOPS | | ratio |"
        print "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        for (depth = 1; depth <= 32; depth += 31) {
            row("null / null-co", "our-null", "qsd-null", depth)
            row("memory / file", "our-memory", "qsd-file", depth)
            row("file / file", "our-file", "qsd-file", depth)
        }
    }'
