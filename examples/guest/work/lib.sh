# Sourced by the scripts of this directory.

# The kernel never says any of these of a disk that is well.
complaints='I/O error|offline|rejecting I/O|task abort|blocked for more|hung task|BUG:|WARNING:|Oops|EXT4-fs (error|warning)|JBD2: .*error|critical .* error'

fail() {
    echo "guest: FAILED $*"
    dmesg | tail -20
    exit 1
}

step() {
    echo "guest: $*"
    "$@" >/tmp/step.log 2>&1 || { tail -20 /tmp/step.log; fail "$*"; }
}

check_kernel() {
    dmesg | grep -E "$complaints" && fail "the kernel complains"
    echo "guest: the kernel does not complain"
}
