# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The outer machine: what it must have, and what it may lack.

missing_outer_packages() {
    local pair
    for pair in "${OUTER_COMMANDS[@]}"; do
        command -v "${pair%%:*}" > /dev/null || echo "${pair#*:}"
    done | sort -u
}

# Installs what is missing where that is possible, else says what to install.
ensure_outer_packages() {
    local missing
    mapfile -t missing < <(missing_outer_packages)
    [[ ${#missing[@]} -gt 0 ]] || return 0
    command -v apt-get > /dev/null || die "please install: ${missing[*]}"
    say "installing ${missing[*]}"
    apt-get -qq update || die "apt-get update failed; please install: ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" > /dev/null ||
        die "could not install: ${missing[*]}"
    [[ -z $(missing_outer_packages) ]] || die "still missing after installation: $(missing_outer_packages | xargs)"
}

has_kvm() { [[ -c /dev/kvm ]] && (: <> /dev/kvm) 2> /dev/null; }

# Overlays need a file system that can hold their upper directory; an overlay itself often cannot.
can_overlay() {
    local probe=$1/overlay-probe.$$ result=0
    mkdir -p "$probe"/{lower,upper,work,root}
    mount -t overlay testhost-probe -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" "$probe/root" \
        2> /dev/null || result=1
    [[ $result -ne 0 ]] || umount "$probe/root"
    rm -rf "$probe"
    return $result
}

free_gib() { df --output=avail -BG "$1" | tail -n 1 | tr -dc 0-9; }

free_mib() { awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo; }

has_memory_for_machine() { [[ $(free_mib) -ge $MACHINE_MEMORY_MIB ]]; }

print_requirements() {
    local failed=0 dir=$TESTHOST_DIR missing
    report() { printf '%-12s %-8s %s\n' "$1" "$2" "$3"; }

    if [[ $EUID -eq 0 ]]; then report root ok ''; else
        report root MISSING 'run as root'
        failed=1
    fi
    missing=$(missing_outer_packages | xargs)
    if [[ -z $missing ]]; then report commands ok ''; elif [[ $EUID -eq 0 ]] && command -v apt-get > /dev/null; then
        report commands ok "'up' will install: $missing"
    else
        report commands MISSING "install: $missing"
        failed=1
    fi
    if has_kvm; then report /dev/kvm ok ''; else
        report /dev/kvm absent 'VMs will run under TCG (slow); VM_TYPE=qemu'
    fi
    if [[ -c /dev/net/tun ]]; then report /dev/net/tun ok ''; else
        report /dev/net/tun absent 'VMs can have no network interface'
    fi
    while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
    if [[ $EUID -ne 0 ]]; then report overlayfs unknown 'only root can try'; elif can_overlay "$dir"; then
        report overlayfs ok ''
    else
        report overlayfs absent 'each host will be a copy of the base (slower, more disk)'
    fi
    if [[ $(free_gib "$dir") -ge 5 ]]; then report disk ok "$(free_gib "$dir") GiB free at $dir"; else
        report disk MISSING "$(free_gib "$dir") GiB free at $dir, a base and some hosts need 5"
        failed=1
    fi
    if has_memory_for_machine; then report memory ok "$(free_mib) MiB free"; else
        report memory low "$(free_mib) MiB free: no room for --machine, which needs $MACHINE_MEMORY_MIB"
    fi
    return $failed
}
