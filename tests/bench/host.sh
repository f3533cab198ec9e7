# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What happens on the test host: commands, VMs, and one measurement over one way.

# Set by run:
: "${host:?}" "${results:?}"

readonly PUBLIC=/run/libvirt/libvirt-sock UPSTREAM=/run/virtwarden/upstream/libvirt-sock PROXY=/run/bench/forward

on_host() { tests/testhost exec "$host" -- "$@"; }

as() { tests/testhost exec "$host" --user "$1" -- "${@:2}"; }

# Lines of measurements: into the results, and to whoever watches.
keep() { tee -a "$results"; }

# Runs the measuring program over a way: as the person whose way it is, at the socket where it begins.
over() { # WAY MEASURE [COUNT]
    local program=(virtwarden-bench "$1")
    case $1 in
        direct-before) on_host "${program[@]}" "$PUBLIC" "${@:2}" ;;
        person) as alice "${program[@]}" "$PUBLIC" "${@:2}" ;;
        direct | hooked) on_host "${program[@]}" "$UPSTREAM" "${@:2}" ;;
        proxy) as alice "${program[@]}" "$PROXY" "${@:2}" ;;
        alice) as alice "${program[@]}" "$PUBLIC" "${@:2}" ;;
        bob | polkit) as bob "${program[@]}" "$PUBLIC" "${@:2}" ;;
        *) echo "bench: there is no way '$1'" >&2 && return 1 ;;
    esac
}

# All ways one after the other, again and again, each round beginning with another one.
rounds() { # ROUNDS MEASURE COUNT WAY...
    local round way ways=("${@:4}")
    for ((round = 0; round < $1; round++)); do
        for way in "${ways[@]}"; do
            over "$way" "$2" "$3" | keep
        done
        ways=("${ways[@]:1}" "${ways[0]}")
    done
}

# VMs without disks or networks, through one virsh; bench-N has N in its UUID.
define_vms() { # FROM TO
    as root bash -s -- "$1" "$2" << 'END'
. /etc/virtwarden-testhost.conf
mkdir -p /root/vms && cd /root/vms || exit 1
for ((number = $1; number < $2; number++)); do
    printf '<domain type="%s"><name>bench-%d</name><uuid>%08x-0000-4000-8000-000000000000</uuid>
<memory unit="MiB">64</memory><os><type arch="x86_64">hvm</type></os></domain>' "$VM_TYPE" $number $number > $number.xml
    echo "define $number.xml"
done > commands
virsh --quiet < commands > log 2>&1
[[ $(virsh --quiet list --all --name | grep -c '^bench-[0-9]') = "$2" ]] || { tail -3 log >&2 && exit 1; }
END
}

# The VM whose start is measured.
define_start_vm() {
    as root bash -s << 'END'
. /etc/virtwarden-testhost.conf
cat > /root/start.xml << XML
<domain type="$VM_TYPE"><name>bench-start</name><uuid>ffffffff-0000-4000-8000-000000000000</uuid>
<memory unit="MiB">128</memory><os><type arch="x86_64">hvm</type></os></domain>
XML
virsh --quiet define /root/start.xml
END
}

# Only the first N stay.
undefine_vms() { # FROM TO
    on_host bash -s -- "$1" "$2" << 'END'
for ((number = $1; number < $2; number++)); do echo "undefine bench-$number"; done > /root/commands
virsh --quiet --connect "qemu+unix:///system?socket=/run/virtwarden/upstream/libvirt-sock" < /root/commands > /root/log 2>&1
END
}

# How often a list of so many VMs is worth asking for.
lists_of() { echo $((20000 / $1 + 5)); }
