# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# PPR-4: what stays with the host whoever asks for it. And keyboards, without which nobody can work at it.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

play_own() {
    local disk card hub
    works "the VMs are set" set_vms
    works "bob starts both" start_vms
    works "a keyboard is plugged in" plug keys --kind keyboard
    works "it works" driver_of 03 usbhid

    story "A keyboard stays with the host"
    refused "bob does not get it into redvm" "virtwarden media connect redvm 0627:0001" "keyboards and mice stay" redvm
    works "it works" driver_of 03 usbhid
    root "printf '[device-class.keys]\nmatch = [{ vendor = \"0627\", product = \"0001\" }]\nrule = \"always-deny\"\n' > /etc/virtwarden/policy.d/40-usb.toml"
    fails "no policy denies every keyboard" as alice "virtwarden policy reload"
    says "... and alice is told why" "every keyboard"
    root 'rm -f /etc/virtwarden/policy.d/40-usb.toml'
    works "by an Administrator's own hand it goes" as alice "virtwarden media connect redvm 0627:0001"
    works "... redvm's hardware has it" has_device redvm
    works "redvm is stopped" as bob "virsh -q -c qemu:///system destroy redvm"
    works "the keyboard is the host's again" driver_of 03 usbhid

    story "PPR-4: the disk, the network card and the keyboards' controller are always denied"
    works "the network card leads out" root "ip route replace default via 10.0.2.2"
    disk=$(pci_of "/sys/class/block/$(basename "$(own_disk)")") card=$(pci_of "/sys/class/net/$(way_out)") hub=$(pci_of /sys/bus/usb/devices/usb1)
    denied_to_alice "the disk" "virsh -q -c qemu:///system attach-disk redvm $(own_disk) vdz --sourcetype block --config" "stays with the host\|is always denied"
    for device in "$disk" "$card" "$hub"; do
        pci_device "$device" > "$scratch/pci.xml"
        "$testhost" put "$host" "$scratch/pci.xml" /tmp/pci.xml
        denied_to_alice "PCI device $device" "virsh -q -c qemu:///system attach-device redvm /tmp/pci.xml --config" "stays with the host\|is always denied"
    done

    story "PPR-4: nor are they taken from the host"
    works "the host drives them" pci_drivers before
    for device in "$disk" "$card" "$hub"; do
        denied_to_alice "PCI device $device, for later" "$(of_host detach "$device")" "stays with the host\|is always denied"
    done
    denied_to_alice "the disk's controller, by a reset" "$(of_host reset "$disk")" "stays with the host\|is always denied"
    denied_to_alice "the disk's controller, by giving it back" "$(of_host reattach "$disk")" "stays with the host\|is always denied"
    refused "bob is told nothing of it" "$(of_host detach "$disk")" "not found\|no node device" "pci_${disk//[:.]/_}"
    works "the host drives them" pci_drivers after
    same "... as before" drivers.before drivers.after
    works "the network card leads out no more" root "ip route del default"
    works "the host lives on" root "touch /root/lives && sync && rm /root/lives"
    works "the keyboard is pulled out" unplug keys
    clear_vms
}

# A command of virsh about a PCI device of the host.
of_host() { printf 'virsh -q -c qemu:///system nodedev-%s pci_%s' "$1" "${2//[:.]/_}"; } # ACT DEVICE
pci_drivers() { root 'for device in /sys/bus/pci/devices/*; do echo "$device $(readlink "$device/driver")"; done' > "$scratch/drivers.$1"; } # FILE
# Alice is refused on all three sides.
denied_to_alice() { refused "alice does not give away $1" "$2" "$3" alice alice; }
# The innermost PCI function that something hangs on: 0000:00:01.0
pci_of() { root "readlink -f $1/device $1 | grep -oE '[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-9a-f]' | tail -n 1"; }
way_out() { root "ip -o route show default | grep -oP 'dev \\K[^ ]+'"; }
pci_device() {
    local domain bus slot function
    IFS=:. read -r domain bus slot function <<< "$1"
    printf '<hostdev mode="subsystem" type="pci" managed="yes"><source><address domain="0x%s" bus="0x%s" slot="0x%s" function="0x%s"/></source></hostdev>' "$domain" "$bus" "$slot" "$function"
}
