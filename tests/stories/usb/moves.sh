# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# One stick, two information domains, and each rule that it can have.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

play_vms() {
    story "Two VMs of bob's, one red, one blue"
    works "they are set" set_vms
    works "bob starts both" start_vms
    works "a stick is plugged in" ensure_stick one ONE

    play_grant
    play_pulled
    play_eject_first
    play_ask_user
    play_saved
    play_withdrawn
    clear_vms
}

play_grant() {
    local device
    story "PPR-1, RDM-1, grant: sticks for red alone"
    rule 'rule = "grant", access = "read-write", granted = ["red"]'
    connects redvm ONE
    fails "the host has no disk of it" disk_of ONE
    refused "bob does not get it into bluevm while redvm has it" "virtwarden media connect bluevm ONE" "not granted" bluevm
    disconnects redvm ONE
    device=$(usb_address ONE)
    root "printf '%s' '$(host_device "$device")' > /tmp/device.xml; printf '%s' '$(host_device '<vendor id="0x46f4"/><product id="0x0001"/>')' > /tmp/ids.xml"
    refused "bob does not get it into bluevm, by the command" "virtwarden media connect bluevm ONE" "not granted" bluevm
    refused "... by libvirt, where it is plugged in" "virsh -q -c qemu:///system attach-device bluevm /tmp/device.xml --live" "not granted" bluevm
    refused "... by libvirt, for what it is" "virsh -q -c qemu:///system attach-device bluevm /tmp/ids.xml --live" "not granted" bluevm
    refused "... by bluevm's definition" "virsh -q -c qemu:///system attach-device bluevm /tmp/ids.xml --config" "not granted" bluevm
}

play_pulled() {
    story "RDM-2: a stick is pulled out of the host while redvm has it, and plugged in again"
    connects redvm ONE
    mark
    works "it is pulled" unplug one
    works "redvm's hardware has it no more" has_none redvm
    works "... on record" on_record '"media disconnect"' '"redvm"' 'pulled out of the host'
    watch_plugs
    mark
    works "it is plugged in again" plug one --serial ONE
    works "it goes back to redvm" has_device redvm
    works "... on record" on_record '"media connect"' '"redvm"' 'plugged in again'
    told_decision
    works "it is pulled" unplug one
    works "redvm's hardware has it no more" has_none redvm
    works "redvm is stopped meanwhile" as bob "virsh -q -c qemu:///system destroy redvm"
    works "it is plugged in again" plug one --serial ONE
    works "it is with nobody, and closed to the host" appears ONE
    closed_to_the_host ONE
    works "bob starts redvm" as bob "virsh -q -c qemu:///system start redvm --paused"
    works "... without it" has_none redvm
}

play_eject_first() {
    story "RDM-1, eject-first: it leaves one information domain before the other gets it"
    rule 'rule = "eject-first", access = "read-write"'
    connects redvm ONE
    refused "not while redvm has it" "virtwarden media connect bluevm ONE" "eject it there first" bluevm
    refused "... not by an Administrator either" "virtwarden media connect bluevm ONE" "eject it there first" bluevm alice
    disconnects redvm ONE
    connects bluevm ONE
    works "it is pulled from bluevm" unplug one
    works "bluevm's hardware has it no more" has_none bluevm
    works "it is plugged in again" plug one --serial ONE
    works "it goes back to bluevm" has_device bluevm
    works "... and not to redvm, which had it before" has_none redvm
    disconnects bluevm ONE
}

play_ask_user() {
    story "RDM-1, ask-user: bob confirms each transfer"
    rule 'rule = "ask-user", access = "read-write"'
    refused "it waits" "virtwarden media connect redvm ONE" "virtwarden media confirm" redvm
    works "bob confirms it" as bob "virtwarden media confirm \$(virtwarden media pending --json | grep -o '\"number\": *[0-9]*' | grep -o '[0-9]*')"
    works "redvm's hardware has it" has_device redvm
    works "it is pulled" unplug one
    works "redvm's hardware has it no more" has_none redvm
    mark
    works "it is plugged in again" plug one --serial ONE
    works "that is another transfer, which nobody confirmed" on_record '"media connect"' '"denied"' '"redvm"'
    works "redvm's hardware has it not" has_none redvm
    works "it is closed to the host" appears ONE
    closed_to_the_host ONE
}

play_saved() {
    story "RDM-1: redvm is saved, and its stick goes to the other information domain"
    rule 'rule = "grant", access = "read-write", granted = ["red", "blue"]'
    connects redvm ONE
    works "bob saves redvm" as bob "virsh -q -c qemu:///system managedsave redvm"
    connects bluevm ONE
    refused "redvm does not resume" "virsh -q -c qemu:///system start redvm" "eject it there first" redvm
    fails "it does not run" root "virsh -q -c '$BEHIND' domstate redvm | grep -qx running"
    disconnects bluevm ONE
    works "now it resumes" as bob "virsh -q -c qemu:///system start redvm"
    works "... with its stick" has_device redvm
    refused "... which bluevm does not get then" "virtwarden media connect bluevm ONE" "eject it there first" bluevm
}

play_withdrawn() {
    story "PPR-2: the policy changes while redvm has the stick"
    mark
    rule 'rule = "grant", access = "read-write", granted = ["blue"]'
    works "redvm's hardware has it no more" has_none redvm
    works "... on record, with the rule" on_record '"media disconnect"' '"redvm"' '30-usb.toml'
    refused "by hot plug" "virtwarden media connect redvm ONE" "not granted" redvm
    refused "by its definition" "virsh -q -c qemu:///system attach-device redvm /tmp/ids.xml --config" "not granted" redvm
    works "bob stops redvm" as bob "virsh -q -c qemu:///system destroy redvm"
    works "it is put into redvm's definition behind the gate" root "virsh -q -c '$BEHIND' attach-device redvm /tmp/ids.xml --config"
    rule 'rule = "deny"'
    refused "denied to all, bob does not start it with that" "virsh -q -c qemu:///system start redvm" "deny" redvm
    mark
    fails "nor does root behind the gate" root "virsh -q -c '$BEHIND' start redvm"
    says "... who is told why" "deny"
    works "... on record" on_record '"denied"' '"redvm"'
    works "it is taken out" root "virsh -q -c '$BEHIND' detach-device redvm /tmp/ids.xml --config"
    rule 'rule = "grant", access = "read-write", granted = ["blue"]'
    connects bluevm ONE
    mark
    rule 'rule = "deny"'
    works "denied to all, bluevm has it no more" has_none bluevm
    works "... on record, with the rule" on_record '"media disconnect"' '"bluevm"' 'deny'
    refused "an Administrator does not get it in either" "virtwarden media connect bluevm ONE" "deny" bluevm alice
}
