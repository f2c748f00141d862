#!/bin/bash
# Boots a guest on a vhost-user-scsi socket and runs a command in it; its console is our output.
#   boot.sh qemu|uml SOCKET QUEUES COMMAND [BLK_SOCKET...]
# Behind a BLK_SOCKET is a vhost-user-blk disk of somebody else. The scripts of work/ lie in the guest
# at /work. Exit code: the command's; 125 if it has none.
# Run setup.sh before. QUIESCE_GUEST_CACHE as there; QUIESCE_GUEST_MIB: memory (default 512)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${QUIESCE_GUEST_CACHE:-$HOME/.cache/quiesce-guest}
mib=${QUIESCE_GUEST_MIB:-512}
[ $# -ge 4 ] || { sed -n 2,6p "$0" >&2; exit 2; }
machine=$1 socket=$2 queues=$3 command=$4
shift 4
others=("$@")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
cp -r "$here/work" "$work/tree/work"
printf '%s\n' "$command" >"$work/tree/work/command"
{
    cat "$cache/initramfs"
    (cd "$work/tree" && find work | cpio --quiet -o -H newc -R 0:0)
} >"$work/initramfs"

case $machine in
qemu)
    set -- qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "$mib" \
        -object "memory-backend-memfd,id=ram,size=${mib}M,share=on" -numa node,memdev=ram \
        -nodefaults -no-user-config -display none -no-reboot -serial stdio \
        -kernel "$cache"/kernel/boot/vmlinuz-* -initrd "$work/initramfs" \
        -append "console=ttyS0 panic=-1 printk.time=1 loglevel=7" \
        -chardev "socket,id=disk,path=$socket" \
        -device "vhost-user-scsi-pci,chardev=disk,num_queues=$queues"
    for other in "${others[@]}"; do
        set -- "$@" -chardev "socket,id=${other##*/},path=$other" \
            -device "vhost-user-blk-pci,chardev=${other##*/},num-queues=1"
    done ;;
uml)
    set -- env "TMPDIR=$work" linux.uml "mem=${mib}M" "initrd=$work/initramfs" "uml_dir=$work/uml" \
        con0=null,fd:1 con=null ssl=null panic=-1 printk.time=1 loglevel=7 \
        "virtio_uml.device=$socket:8"
    for other in "${others[@]}"; do
        set -- "$@" "virtio_uml.device=$other:2"
    done ;;
*)
    echo "boot.sh: qemu or uml, not $machine" >&2
    exit 2 ;;
esac
# The machine dies with this script, in whatever way that ends.
setpriv --pdeathsig KILL "$@" <"$work/tree/work/command" 2>&1 | tee "$work/console"
code=$(sed -n 's/^.*guest: exit \([0-9]*\).*$/\1/p' "$work/console" | tail -1)
exit "${code:-125}"
