# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The container that a host is: its start, the wait for its boot, its end.

# The directories of the host's own cgroup: on a pure cgroup v2 machine one, on a mixed one systemd's two.
host_cgroups() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [[ ! -e $hierarchy/cgroup.procs ]] || echo "$hierarchy/$(machine_name "$1")"
    done
}

start_container() {
    local dir bind=() device
    dir=$(host_dir "$1")
    [[ -c /dev/net/tun ]] || warn "no /dev/net/tun: VMs can have no network interface"
    for device in /dev/net/tun /dev/vhost-net; do
        [[ ! -c $device ]] || bind+=("--bind=$device")
    done
    run_container "$1" "$dir" "${bind[@]}" < /dev/null >> "$dir/boot.log" 2>&1 9>&- &
    echo $! > "$dir/supervisor"
}

# Becomes the container's supervisor. (The lock, descriptor 9, is not its to hold: see the caller.)
run_container() {
    local name=$1 dir=$2 cgroup
    shift 2
    # --keep-unit makes "payload" in the cgroup we are in: two hosts started from one place would share it, and their
    # systemds would take each other's processes for their own.
    for cgroup in $(host_cgroups "$name"); do
        mkdir -p "$cgroup"
        echo "$BASHPID" > "$cgroup/cgroup.procs"
    done
    # A real host needs every capability (KVM, bridges, mounts of its services). The legacy switch lets Debian 13's
    # systemd start where only cgroup v1 is writable.
    exec setsid systemd-nspawn \
        --directory="$dir/root" --machine="$(machine_name "$name")" --hostname="$name" \
        --boot --quiet --register=no --keep-unit --private-network --capability=all --system-call-filter=@known \
        --resolv-conf=off --timezone=off --link-journal=no --console=read-only \
        -E SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 "$@"
}

# wait_for_host NAME CHECK: CHECK NAME succeeds when there is nothing more to wait for.
wait_for_host() {
    local patience deadline pause=0.1
    patience=$(boot_timeout "$1")
    # Each look is a login there, which an emulated machine that boots has no time for.
    ! is_machine "$1" || pause=3
    deadline=$((SECONDS + patience))
    until host_init "$1" > /dev/null && "$2" "$1"; do
        lives "$(< "$(host_dir "$1")/supervisor")" || boot_failed "$1" "it ended"
        if [[ $SECONDS -ge $deadline ]]; then boot_failed "$1" "not ready after $patience s"; fi
        sleep "$pause"
    done
}

# A process that ended but was not waited for still has its directory in /proc.
lives() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }

# Everything that systemd wanted to start was started.
has_booted() { [[ $(enter "$1" systemctl is-active multi-user.target 2> /dev/null) == active ]]; }

has_libvirt() { has_booted "$1" && enter "$1" virsh --connect qemu:///system --quiet list > /dev/null 2>&1; }

boot_failed() {
    {
        echo "--- last lines of the boot log ---"
        # Without the colours.
        tail -n 20 "$(host_dir "$1")/boot.log" | sed 's/\x1b\[[0-9;:]*[mK]//g'
        echo "--- units that failed, jobs that run ---"
        enter "$1" timeout 5 systemctl --no-legend --no-pager list-units --state=failed || true
        enter "$1" timeout 5 systemctl --no-legend --no-pager list-jobs | grep -w running || true
    } >&2
    die "host '$1' did not boot: $2. It is left for a look; 'testhost down $1' removes it"
}

# Ends every process of a host, whatever became of its supervisor.
kill_container() {
    local init cgroups try patience=0
    if init=$(host_init "$1"); then
        # The kernel ends every other process of a PID namespace with its first one. The supervisor then ends by itself
        # and undoes what it did; hence the patience.
        kill -KILL "$init" 2> /dev/null || true
        patience=60
    fi
    mapfile -t cgroups < <(host_cgroups "$1")
    for ((try = 0; try < 200; try++)); do
        [[ $try -lt $patience ]] || kill_cgroups "${cgroups[@]}"
        remove_cgroups "${cgroups[@]}" && return
        sleep 0.05
    done
    die "host '$1' has processes that do not end, see ${cgroups[0]}"
}

kill_cgroups() {
    local process
    find "$@" -name cgroup.procs -exec cat {} + 2> /dev/null | while read -r process; do
        kill -KILL "$process" 2> /dev/null || true
    done
}

# Succeeds once they are gone; the kernel refuses while a process is in there.
remove_cgroups() {
    local cgroup result=0
    for cgroup in "$@"; do
        [[ -d $cgroup ]] || continue
        find "$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null || result=1
    done
    return $result
}
