# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Words, paths and small helpers that every other part uses.
# shellcheck disable=SC2034 # they do

# Everything that outlives one command is below this directory.
TESTHOST_DIR=${VIRTWARDEN_TESTHOST_DIR:-/var/lib/virtwarden-testhost}
SSH_KEY=$TESTHOST_DIR/key

say() { printf 'testhost: %s\n' "$*" >&2; }
warn() { say "warning: $*"; }
die() {
    say "error: $*"
    exit 1
}
usage_error() {
    say "$*"
    say "try 'testhost help'"
    exit 2
}

need_root() {
    [[ $EUID -eq 0 ]] || die "needs root: it mounts, enters namespaces and starts a container"
    forget_login
}

# The audit login of whoever runs testhost must not leak into hosts: in there the same number is somebody else.
forget_login() {
    local unset=4294967295
    [[ -e /proc/self/loginuid && $(< /proc/self/loginuid) != "$unset" ]] || return 0
    echo "$unset" 2> /dev/null > /proc/self/loginuid ||
        warn "this login's audit id, $(< /proc/self/loginuid), shows on commands run without --user"
}

check_name() {
    [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || usage_error "'$1' is no host name: small letters, digits and '-', at most 31"
}

host_dir() { printf '%s/hosts/%s' "$TESTHOST_DIR" "$1"; }
# systemd-nspawn's names are the machine's, not only ours.
machine_name() { printf 'testhost-%s' "$1"; }

# Runs a command while holding a lock, so that two testhosts do not build or start the same thing at once.
# A process that the command leaves behind must not inherit the lock (descriptor 9).
with_lock() {
    local file=$1
    shift
    mkdir -p "$TESTHOST_DIR/locks"
    # Bases hold set-uid programs that nobody updates, and hosts hold keys.
    chmod 700 "$TESTHOST_DIR"
    (
        flock 9
        "$@"
    ) 9> "$TESTHOST_DIR/locks/$file"
}

# What a host was made of: VM_TYPE, DEBIAN, FLAVOUR, BASE.
host_setting() { sed -n "s/^$2=//p" "$(host_dir "$1")/conf" 2> /dev/null; }

# Seconds until a host that has not finished booting is given up.
boot_timeout() { echo "${VIRTWARDEN_TESTHOST_TIMEOUT:-$(is_machine "$1" && echo 600 || echo 120)}"; }

# The host's systemd-nspawn, or a machine's emulator; fails if it is not there.
host_supervisor() {
    local dir pid
    dir=$(host_dir "$1")
    pid=$(cat "$dir/supervisor" 2> /dev/null) || return 1
    # A process id is used again some day: it counts only if it is a supervisor of this very host.
    tr '\0' '\n' 2> /dev/null < "/proc/$pid/cmdline" | grep -qxF -e "--directory=$dir/root" -e "guest=$dir" || return 1
    echo "$pid"
}

# A process that is in the host's network: the container's PID 1, seen from outside, or the machine's emulator.
# Fails if the host does not run.
host_init() {
    local supervisor child
    supervisor=$(host_supervisor "$1") || return 1
    if is_machine "$1"; then
        echo "$supervisor"
        return
    fi
    # shellcheck disable=SC2013 # process ids, all on one line
    for child in $(cat "/proc/$supervisor/task/"*/children 2> /dev/null); do
        if awk '/^NSpid:/ { found = $NF == 1 } END { exit !found }' "/proc/$child/status" 2> /dev/null; then
            echo "$child"
            return
        fi
    done
    return 1
}

running_init() {
    check_name "$1"
    host_init "$1" || die "host '$1' does not run: start it with 'testhost up $1'"
}
