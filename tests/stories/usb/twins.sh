# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Two sticks that say the same of themselves: told apart by where they are plugged in, or not at all.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

play_twins() {
    local here there since
    story "Two sticks that say the same serial number"
    works "the VMs are set" set_vms
    works "bob starts both" start_vms
    root "printf '%s' '$(host_device '<vendor id="0x46f4"/><product id="0x0001"/>')' > /tmp/ids.xml"
    rule 'rule = "grant", access = "read-write", granted = ["red"]'
    works "one is plugged in" plug twin --serial TWIN --port 5
    works "the other is plugged in" plug twin2 --serial TWIN --port 6
    works "the host sees both" both_are_there
    here=$(port_of TWIN 1) there=$(port_of TWIN 2)
    standing before
    since=$marked
    fails "by what they say they are not told apart" as bob "virtwarden media connect redvm TWIN"
    says "... he is told how" "at port"
    standing after
    same "... nothing has changed hands" before after
    works "... on record" on_record '"failure"' '"bob"' '"redvm"' 'could be'
    unset since
    refused "... nor by what libvirt knows them by" "virsh -q -c qemu:///system attach-device redvm /tmp/ids.xml --live" "could be" redvm
    works "by its port one is" as bob "virtwarden media connect redvm $here"
    works "redvm's hardware has it" has_device redvm
    works "it is the one at port $here" is_with "$here" redvm
    works "... and not its twin" is_with "$there" nobody
    works "bob disconnects it" as bob "virtwarden media disconnect redvm $here"

    story "A class names one of them by its port: its twin is another stick"
    root "printf '[device-class.chosen]\nmatch = [{ serial = \"TWIN\", port = \"$here\" }]\nrule = \"grant\"\naccess = \"read-write\"\ngranted = [\"blue\"]\n' > /etc/virtwarden/policy.d/40-usb.toml"
    works "alice grants the one to blue" as alice "virtwarden policy reload"
    refused "the twin does not get into bluevm" "virtwarden media connect bluevm $there" "not granted" bluevm
    works "the one does" as bob "virtwarden media connect bluevm $here"
    works "... bluevm's hardware has it" has_device bluevm
    mark
    works "it is pulled" unplug twin
    works "bluevm's hardware has it no more" has_none bluevm
    works "the twin is put into its place" unplug twin2
    works "... there" plug twin2 --serial TWIN --port 6
    works "another stick that says the same at another port is not given to bluevm" is_with "$there" nobody
    works "bluevm's hardware has none" has_none bluevm
    works "it is pulled" unplug twin2
    root 'rm -f /etc/virtwarden/policy.d/40-usb.toml'
    clear_vms
}

both_are_there() {
    # shellcheck disable=SC2016 # for the host's shell
    root 'for try in $(seq 60); do test "$(grep -lx TWIN /sys/bus/usb/devices/*/serial | wc -l)" = 2 && udevadm settle && exit 0; sleep 0.5; done; exit 1'
}
# Who has what is plugged in at a port, by policyd's word; waits until it is so.
is_with() { # PORT VM|nobody
    as alice "for try in \$(seq 40); do
        virtwarden media list --json | python3 -c '
import json, sys
port, vm = sys.argv[1:]
held = [row[\"holder\"] for row in json.load(sys.stdin) if (row[\"medium\"][\"source\"].get(\"usb\") or {}).get(\"port\") == port]
print(held)
sys.exit(0 if len(held) == 1 and (vm in json.dumps(held)) else 1)' $1 $2 && exit 0; sleep 0.5; done; exit 1"
}
