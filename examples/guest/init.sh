#!/usr/bin/busybox sh
# The guest's first process: loads the modules, runs /work/command, says how it ended, goes down.
export PATH=/usr/bin:/usr/sbin HOME=/ TERM=dumb LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
for module in $(cat /etc/modules); do
    modprobe -q "$module"
done
# Disks are found in the background: wait until there is one, and no new one for a second.
count=0
last=none
for look in $(seq 120); do
    now=$(ls /sys/block)
    case $now in *sd*) [ "$now" = "$last" ] && count=$((count + 1)) || count=0 ;; esac
    [ "$count" -ge 5 ] && break
    last=$now
    sleep 0.2
done
echo "guest: up with $(uname -r), $(nproc) CPUs"
cd /
setsid cttyhack sh /work/command
code=$?
echo "guest: exit $code"
sync
poweroff -f
