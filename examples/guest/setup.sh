#!/bin/bash
# Installs what a guest needs from Debian packages and builds its initramfs, all into the cache.
# A second run finds that nothing has changed and does nothing. Needs root only to install.
#   setup.sh
# QUIESCE_GUEST_CACHE: where (default: ~/.cache/quiesce-guest)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${QUIESCE_GUEST_CACHE:-$HOME/.cache/quiesce-guest}
packages="qemu-system-x86 user-mode-linux busybox-static fio sg3-utils lsscsi e2fsprogs util-linux cpio kmod make binutils"
programs="/usr/bin/fio /usr/bin/lsscsi /usr/bin/sg_reset /usr/bin/sg_inq /usr/bin/sg_readcap /usr/sbin/mkfs.ext4 /usr/sbin/e2fsck"
# What the kernels of Debian have as modules, in the order in which it is loaded; and what is not.
modules="virtio_pci virtio_mmio sd_mod sg virtio_scsi"
on_demand="virtio_blk"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

installed() {
    dpkg-query -W -f='${db:Status-Status}' "$1" 2>&1 | grep -qx installed
}

install() {
    local missing=() package
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "guest: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 || {
        tail -20 "$cache/apt.log" >&2
        exit 1
    }
}
install $packages

newest_kernel() {
    apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }'
}

# The kernel for QEMU: small, with virtio. It is unpacked, not installed; its headers are installed.
name=$(cat "$cache/kernel/name" 2>&1 || true)
headers=${name/image/headers}
if [ ! -e "$cache/kernel/name" ] || ! installed "$headers"; then
    name=$(newest_kernel)
    [ -n "$name" ] || { apt-get update -qq && name=$(newest_kernel); }
    headers=${name/image/headers}
    install "$headers"
    echo "guest: fetching $name"
    rm -rf "$cache/kernel"
    mkdir -p "$cache/kernel"
    (cd "$cache/kernel" && apt-get -qq -o APT::Sandbox::User=root download "$name" && dpkg -x ./*.deb . && rm ./*.deb)
    echo "$name" >"$cache/kernel/name"
fi

stamp=$(sha256sum "$here/setup.sh" "$here/init.sh" "$here"/module/*; cat "$cache/kernel/name"
    dpkg-query -W $packages "$headers")
if [ -s "$cache/initramfs" ] && [ "$stamp" = "$(cat "$cache/stamp" 2>&1)" ]; then
    exit 0
fi
echo "guest: building the initramfs"
root=$cache/root
rm -rf "$root"
mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,proc,sys,dev,tmp,mnt,work,etc}
for directory in bin sbin lib lib64; do
    ln -s "usr/$directory" "$root/$directory"
done
cp "$(command -v busybox)" "$root/usr/bin/busybox"
for applet in $(busybox --list | grep -vx busybox); do
    ln -sf busybox "$root/usr/bin/$applet"
done
for program in $programs; do
    rm -f "$root/usr/bin/$(basename "$program")"
    cp -L "$program" "$root$program"
    ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
done | sort -u | while read -r library; do
    target=$library
    case $library in /lib/* | /lib64/*) target=/usr$library ;; esac
    mkdir -p "$root$(dirname "$target")"
    cp -L "$library" "$root$target"
done
echo root:x:0:0:root:/:/bin/sh >"$root/etc/passwd"

# Modules of one kernel: TREE/lib/modules/VERSION.
add_modules() {
    local tree=$1 version=$2 from=$1/lib/modules/$2 to=$root/usr/lib/modules/$2 module
    depmod -b "$tree" "$version"
    mkdir -p "$to"
    cp "$from"/modules.builtin "$from"/modules.order "$to/"
    for module in $modules $on_demand; do
        modprobe -d "$tree" -S "$version" -q --show-depends "$module" || true
    done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
        mkdir -p "$to/$(dirname "${file#*"/modules/$version/"}")"
        cp "$file" "$to/${file#*"/modules/$version/"}"
    done
    depmod -b "$root" "$version"
}
kernel=$(ls "$cache/kernel/lib/modules")
rm -rf "$cache/module"
cp -r "$here/module" "$cache/module"
make -s -C "/usr/src/$headers" "M=$cache/module" modules >"$cache/make.log" 2>&1 || {
    cat "$cache/make.log" >&2
    exit 1
}
mkdir -p "$root/usr/lib/modules/$kernel/extra"
strip --strip-debug -o "$root/usr/lib/modules/$kernel/extra/scsi_aborts.ko" "$cache/module/scsi_aborts.ko"
add_modules "$cache/kernel" "$kernel"
uml=$(ls /usr/lib/uml/modules | head -1)
rm -rf "$cache/uml"
mkdir -p "$cache/uml/lib/modules"
cp -a "/usr/lib/uml/modules/$uml" "$cache/uml/lib/modules/"
add_modules "$cache/uml" "$uml"

echo "$modules" >"$root/etc/modules"
cp "$here/init.sh" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$cache/initramfs.new"
mv "$cache/initramfs.new" "$cache/initramfs"
echo "$stamp" >"$cache/stamp"
