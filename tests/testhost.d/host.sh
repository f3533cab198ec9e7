# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The life of a host: up, reboot, list, down.

up() {
    local name='' release=13 flavour=plain kvm=yes
    while [[ $# -gt 0 ]]; do
        case $1 in
            --debian) release=${2:?--debian needs 12 or 13} && shift 2 ;;
            --flavour) flavour=${2:?--flavour needs a name} && shift 2 ;;
            --no-kvm) kvm=no && shift ;;
            --machine) flavour=machine && shift ;;
            -*) usage_error "up has no option $1" ;;
            *) [[ -z $name ]] || usage_error "up takes one name" && name=$1 && shift ;;
        esac
    done
    [[ -n $name ]] || usage_error "up needs a name"
    check_name "$name"
    need_root
    debian_codename "$release" > /dev/null
    flavour_packages "$flavour" "$release" > /dev/null
    ensure_outer_packages
    if is_of_machines "$flavour"; then
        kvm=no
        ensure_base 13 plain # for its emulator
    fi
    ensure_base "$release" "$flavour"
    with_lock key ensure_key
    with_lock "host-$name" start_host "$name" "$release" "$flavour" "$kvm"
}

start_host() {
    local name=$1 release=$2 flavour=$3 kvm=$4 dir began=$SECONDS
    dir=$(host_dir "$name")
    if host_init "$name" > /dev/null; then die "host '$name' runs already: 'testhost down $name' ends it"; fi
    if [[ -e $dir ]]; then
        say "removing what an earlier host '$name' left"
        remove_host "$name"
    fi
    mkdir -p "$dir"/{root,upper,work}
    {
        echo "DEBIAN=$release"
        echo "FLAVOUR=$flavour"
        echo "BASE=$(base_dir "$release" "$flavour")"
        echo "VM_TYPE=$(vm_type "$kvm")"
    } > "$dir/conf"
    make_root "$name"
    personalize_root "$name"
    ! is_machine "$name" || make_disk "$name"
    power_on "$name"
    wait_for_host "$name" has_libvirt
    say "host '$name' (Debian $release, VM_TYPE=$(host_setting "$name" VM_TYPE)) is up after $((SECONDS - began)) s"
}

power_on() { if is_machine "$1"; then start_machine "$1"; else start_container "$1"; fi; }

# Ends every process of a host.
pull_plug() { if is_machine "$1"; then kill_machine "$1"; else kill_container "$1"; fi; }

vm_type() {
    if [[ $1 == no ]]; then echo qemu; elif has_kvm; then echo kvm; else
        warn "no usable /dev/kvm: VMs will run under TCG, which is slow"
        echo qemu
    fi
}

# Copy on write if the file system can, a whole copy if not.
make_root() {
    local dir base layers
    dir=$(host_dir "$1")
    base=$(host_setting "$1" BASE)
    layers=lowerdir=$base,upperdir=$dir/upper,workdir=$dir/work
    if ! mount -t overlay "testhost-$1" -o "$layers" "$dir/root" 2> /dev/null; then
        warn "overlayfs does not work here: copying the base"
        cp -a --reflink=auto "$base/." "$dir/root/"
    fi
}

# What must differ between hosts, and what is known only outside.
personalize_root() {
    local root
    root=$(host_dir "$1")/root
    # Its own identity; with it there, systemd takes this for no first boot and does not apply presets, which would
    # enable libvirt's TLS and TCP sockets.
    tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
    echo "$1" > "$root/etc/hostname"
    echo "127.0.1.1 $1" >> "$root/etc/hosts"
    grep '^VM_TYPE=' "$(host_dir "$1")/conf" > "$root/etc/virtwarden-testhost.conf"
    install -m 644 "$SSH_KEY.pub" "$root/etc/ssh/testhost_authorized_keys"
    # Tests that need another ssh client than ours log in from root inside.
    install -d -m 700 "$root/root/.ssh"
    install -m 600 "$SSH_KEY" "$root/root/.ssh/id_ecdsa"
}

reboot() {
    local name='' hard=no
    while [[ $# -gt 0 ]]; do
        case $1 in
            --hard) hard=yes && shift ;;
            -*) usage_error "reboot has no option $1" ;;
            *) name=$1 && shift ;;
        esac
    done
    [[ -n $name ]] || usage_error "reboot needs a name"
    need_root
    running_init "$name" > /dev/null
    with_lock "host-$name" restart_host "$name" "$hard"
}

# The container cannot boot again by itself: systemd-nspawn leaves that to whoever supervises it. Here that is us.
restart_host() {
    local deadline=$((SECONDS + $(boot_timeout "$1")))
    if [[ $2 == no ]]; then
        enter "$1" systemctl --no-block poweroff
        while host_supervisor "$1" > /dev/null; do
            [[ $SECONDS -lt $deadline ]] ||
                die "host '$1' does not shut down (VMs that do not react delay it, as on any host); use --hard"
            sleep 0.1
        done
    fi
    pull_plug "$1"
    power_on "$1"
    ! is_machine "$1" || plug_again "$1"
    # Not has_libvirt: what was installed meanwhile may well refuse our virsh.
    wait_for_host "$1" has_booted
}

down() {
    [[ $# -eq 1 ]] || usage_error "down needs one name"
    check_name "$1"
    need_root
    [[ -e $(host_dir "$1") ]] || die "there is no host '$1'"
    with_lock "host-$1" remove_host "$1"
}

# Also cleans up after hosts that died, at whatever point.
remove_host() {
    local dir machine lock
    dir=$(host_dir "$1")
    machine=$(machine_name "$1")
    pull_plug "$1"
    # What systemd-nspawn leaves if it was killed. It locks a root by its inode.
    lock=/run/systemd/nspawn/locks/inode-$(stat --format=%d:%i "$dir/root" 2> /dev/null || true)
    rm -rf "/run/systemd/nspawn/propagate/$machine" "/run/systemd/nspawn/unix-export/$machine" "$lock"
    # rmdir: not if somebody else's are still there.
    rmdir --ignore-fail-on-non-empty /run/systemd/nspawn/* /run/systemd/nspawn 2> /dev/null || true
    while mountpoint -q "$dir/root"; do umount "$dir/root" 2> /dev/null || umount --lazy "$dir/root"; done
    rm -rf --one-file-system "$dir"
}

list() {
    local conf name init
    printf '%-20s %-8s %-7s %-8s %-8s %s\n' NAME STATE DEBIAN FLAVOUR VM_TYPE PID
    for conf in "$TESTHOST_DIR"/hosts/*/conf; do
        [[ -e $conf ]] || continue
        name=$(basename "$(dirname "$conf")")
        init=$(host_init "$name") || init=''
        printf '%-20s %-8s %-7s %-8s %-8s %s\n' "$name" "$([[ -n $init ]] && echo running || echo dead)" \
            "$(host_setting "$name" DEBIAN)" "$(host_setting "$name" FLAVOUR)" \
            "$(host_setting "$name" VM_TYPE)" "${init:--}"
    done
}
