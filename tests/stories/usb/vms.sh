# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sticks between VMs: redvm of information domain red and bluevm of blue, both bob's. FPT_RDM_EXT.1: RDM-1 and RDM-2;
# FDP_PPR_EXT.1: PPR-1, PPR-2 and PPR-4. What a VM has is looked at from its hardware's side, past the gate.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

BEHIND='qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock'

# --- What is looked at again and again ---------------------------------------------------------------------------
# Until a VM has, or has no, USB device of the host.
has_device() { root "for try in \$(seq 60); do $(info_usb "$1") | grep -q 'ID: hostdev' && exit 0; sleep 0.5; done; exit 1"; }
has_none() { root "for try in \$(seq 60); do $(info_usb "$1") | grep -q 'ID: hostdev' || exit 0; sleep 0.5; done; exit 1"; }
info_usb() { printf "virsh -q -c '%s' qemu-monitor-command %s --hmp 'info usb'" "$BEHIND" "$1"; }
port_of() { root "cd /sys/bus/usb/devices; grep -lx '$1' */serial | sed -n '${2:-1}s,/serial,,p'"; }

# Where the trail ends, and who has what: by policyd's word and by the hardware's.
standing() { # FILE
    local begin
    begin=$(cat "$scratch/mark" 2> /dev/null || echo 1)
    as alice "virtwarden audit export --from $begin | tail -n 1 | grep -o '\"seq\":[0-9]*' | head -n 1 | cut -d: -f2; virtwarden media list --json" > "$scratch/$1.asked"
    marked=$(($(head -n 1 "$scratch/$1.asked") + 1))
    echo "$((marked - 1))" > "$scratch/mark"
    tail -n +2 "$scratch/$1.asked" > "$scratch/$1"
    root "for vm in redvm bluevm; do echo \$vm; $(info_usb '$vm') 2> /dev/null || echo 'does not run'; done" >> "$scratch/$1"
}
mark() { standing marked; }
# A record since the mark in which all of these are.
on_record() {
    local pattern filter=cat
    for pattern in "$@"; do filter+=" | grep -F -e '$pattern'"; done
    as alice "for try in \$(seq 90); do virtwarden audit export --from ${since:-$marked} | $filter && exit 0; sleep 1; done; exit 1"
}
connects() { # VM MEDIUM
    mark
    works "bob connects $2 to $1" as bob "virtwarden media connect $1 '$2'"
    works "... $1's hardware has it" has_device "$1"
    works "... on record, with VM and device" on_record '"media connect"' '"success"' '"bob"' "\"$1\"" '"usb:46f4:0001:'
}
disconnects() { # VM MEDIUM
    works "bob disconnects it" as bob "virtwarden media disconnect $1 '$2'"
    works "... $1's hardware has it no more" has_none "$1"
}
# Looked at from three sides: what is shown, what has changed, what is on record.
refused() { # WHAT SCRIPT WORDS VM
    local since
    standing before
    since=$marked
    fails "$1" as "${5:-bob}" "$2"
    says "... he is told: $3" "$3"
    standing after
    same "... nothing has changed hands" before after
    works "... on record" on_record '"denied"' "\"${5:-bob}\"" "\"$4\""
}
rule() { # RULE...
    root "printf '[media]\nusb-storage = { %s }\n' '$1' > /etc/virtwarden/policy.d/30-usb.toml"
    works "alice sets the rule for sticks: $1" as alice "virtwarden policy reload"
}
host_device() { printf '<hostdev mode="subsystem" type="usb" managed="yes"><source>%s</source></hostdev>' "$1"; }

set_vms() {
    clear_vms
    # shellcheck disable=SC2016 # for the host's shell
    root 'set -e; . /etc/virtwarden-testhost.conf
        printf "[information-domain.red]\n[information-domain.blue]\n" > /etc/virtwarden/policy.d/20-usb.toml
        for vm in redvm bluevm; do
            printf "<domain type=\"%s\"><name>%s</name><memory unit=\"MiB\">64</memory>
                <os><type arch=\"x86_64\" machine=\"pc\">hvm</type></os><features><acpi/></features>
                <devices><controller type=\"usb\" model=\"qemu-xhci\"/><memballoon model=\"none\"/></devices></domain>" "$VM_TYPE" "$vm" > /root/$vm.xml
            chmod 644 /root/$vm.xml; cp /root/$vm.xml /tmp/
        done'
    as alice 'set -e; virtwarden policy reload; export LIBVIRT_DEFAULT_URI=qemu:///system
        for vm in redvm bluevm; do virsh -q define /tmp/$vm.xml; virtwarden vm assign $vm bob; done
        virtwarden vm domain redvm red; virtwarden vm domain bluevm blue'
}
# Paused: what they have is seen all the same, and nothing burns the emulated processor.
start_vms() { as bob 'for vm in redvm bluevm; do virsh -q -c qemu:///system start $vm --paused || exit 1; done'; }

clear_vms() {
    root 'rm -f /etc/virtwarden/policy.d/20-usb.toml /etc/virtwarden/policy.d/30-usb.toml /tmp/device.xml /tmp/ids.xml /tmp/redvm.xml /tmp/bluevm.xml /root/redvm.xml /root/bluevm.xml'
    as alice 'export LIBVIRT_DEFAULT_URI=qemu:///system
        for vm in redvm bluevm; do virsh -q destroy $vm; virsh -q undefine $vm --managed-save; done; virtwarden policy reload' > /dev/null 2>&1 || true
}

ensure_stick() { root "lsblk -dno SERIAL | grep -qx '$2'" || plug "$1" --serial "$2" && appears "$2"; }
# Its place on the bus, as a definition says it.
usb_address() {
    root "cd \$(grep -lx '$1' /sys/bus/usb/devices/*/serial | xargs dirname) && printf '<address bus=\"%s\" device=\"%s\"/>' \$(cat busnum devnum)"
}

# From the kernel's word that there is a device to the record of what was decided about it.
watch_plugs() {
    root 'rm -f /root/monitor; systemd-run -q --unit=story-monitor -p StandardOutput=file:/root/monitor udevadm monitor --kernel --subsystem-match=usb/usb_device; sleep 3'
}
told_decision() {
    local took
    as alice "virtwarden audit export --from ${since:-$marked}" > "$scratch/records"
    "$testhost" put "$host" "$scratch/records" /root/records
    took=$(root "systemctl stop story-monitor.service; python3 - << 'SCRIPT'
import datetime, json, re, time
boot = time.time() - time.monotonic()
plugged = next(boot + float(found[1]) for found in (re.match(r'KERNEL\[([0-9.]+)\] add ', line) for line in open('/root/monitor')) if found)
for line in open('/root/records'):
    line = json.loads(line)
    record = line.get('record', {})
    if record.get('operation') == 'media connect':
        at = datetime.datetime.fromisoformat(line['time'].replace('Z', '+00:00')).timestamp()
        print(record['kind'], round((at - plugged) * 1000), 'ms', end='; ')
SCRIPT")
    holds "MEASURED, from the kernel's word, on this emulated machine: ${took:-?}"
}
