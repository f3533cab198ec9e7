# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The host as an information domain: what the policy does not grant to it, nobody mounts or reads there (RDM-1).
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

play_host() {
    story "RDM-1: the host is not granted the stick that is plugged in"
    works "the host follows the policy" host_is_as_set
    closed_to_the_host ONE
    works "the SPICE clients' helper is closed" root "test \$(stat -c %a $HELPER) = 750"
    fails "... to bob" seat "$HELPER"
    works "doctor finds nothing wrong" root "virtwarden doctor"

    story "RDM-1: a stick that comes later"
    works "the first is pulled out" unplug one
    works "another is plugged in" timed_plug two --serial TWO
    works "the host sees it" appears TWO
    closed_to_the_host TWO
    told_time
    works "a disc drive with a disc" plug disc --kind disc
    works "the host sees the drive" root 'for try in $(seq 40); do test -b /dev/sr0 && udevadm settle && exit 0; sleep 0.5; done; exit 1'
    works "it is closed" is_closed /dev/sr0
    fails "bob does not mount it" seat "udisksctl mount -b /dev/sr0"
    fails "... nor reads it" seat "head -c 1 /dev/sr0"
    fails "nothing of it is bob's" root "getfacl -cp /dev/sr0 /dev/sg* | grep -q ^user:bob"
    works "the drive is pulled out" unplug disc
    fails "the host's own disk is open to it" is_closed "$(own_disk)"

    story "The host as sender and receiver by the policy"
    root 'printf "[media]\nusb-storage = { rule = \"grant\", granted = [\"host\"] }\n" > /etc/virtwarden/policy.d/30-host.toml'
    works "the policy grants sticks to the host" as alice "virtwarden policy reload"
    works "the host follows" opens TWO
    works "bob mounts it" seat "udisksctl mount -b $(disk_of TWO)"
    works "... and reads it" seat 'cat /media/bob/two/readme'
    root 'rm /etc/virtwarden/policy.d/30-host.toml'
    works "the grant is taken back while it is mounted" as alice "virtwarden policy reload"
    works "the host follows" closes TWO
    works "it is unmounted" root 'for try in $(seq 40); do grep -q /media/bob /proc/mounts || exit 0; sleep 0.5; done; exit 1'
    closed_to_the_host TWO
    works "both are on record" as alice "test \$(virtwarden audit export | grep -c 'host-media follows the policy') -ge 2"

    story "The setting, by whom it may be set"
    fails "bob may not" as bob "virtwarden setting set host-media level=open"
    says "he is told why" "access denied.*10)"
    closed_to_the_host TWO
    works "his attempt is on record" record '"setting set host-media"' '"denied"\|denial'
    works "alice opens the host" level open
    works "bob mounts the stick" seat "udisksctl mount -b $(disk_of TWO)"
    works "... and unmounts it" seat "udisksctl unmount -b $(disk_of TWO)"
    works "root mounts it as part of the host" root "mkdir -p /srv/disk && mount $(disk_of TWO) /srv/disk"
    fails "a host that lives on it is not closed" level no-automount
    says "alice is told what it uses" "/srv/disk"
    root "umount /srv/disk && rmdir /srv/disk"
    works "alice goes back to the default" as alice "virtwarden setting unset host-media"
    closed_to_the_host TWO
    works "the second is pulled out" unplug two
    works "the first is plugged in again" plug one --serial ONE
}

closed_to_the_host() { # SERIAL
    local disk
    disk=$(disk_of "$1")
    works "$disk is closed" is_closed "$disk"
    fails "bob does not mount it" seat "udisksctl mount -b $disk"
    fails "... nor is it offered to him" seat "udisksctl info -b $disk | grep HintIgnore:.*false"
    fails "... nor reads it" seat "head -c 1 $disk"
    fails "... nor formats it" seat "busctl --system call org.freedesktop.UDisks2 /org/freedesktop/UDisks2/block_devices/$(basename "$disk") org.freedesktop.UDisks2.Block Format sa{sv} empty 0"
    works "what is on it is still there" root "blkid -p -o value -s LABEL $disk | grep -q ."
    works "its nodes are root's" root "test \"\$(stat -c '%a %U %G' $disk)\" = '600 root root'"
    fails "nothing of it is bob's" root "getfacl -cp $disk /dev/bus/usb/*/* /dev/sg* 2>/dev/null | grep -q ^user:bob"
    fails "nothing of it is mounted" root "grep -q ^$disk /proc/mounts"
}

opens() { root "for try in \$(seq 60); do udevadm info -q property -n $(disk_of "$1") | grep -q VIRTWARDEN_HOST || exit 0; sleep 0.5; done; exit 1"; }
closes() { root "for try in \$(seq 60); do udevadm info -q property -n $(disk_of "$1") | grep -q VIRTWARDEN_HOST && exit 0; sleep 0.5; done; exit 1"; }

# From the kernel's word that there is a disk to udev's decision about it.
timed_plug() {
    root 'rm -f /root/monitor; systemd-run -q --unit=story-monitor -p StandardOutput=file:/root/monitor udevadm monitor --kernel --udev --subsystem-match=block; sleep 3'
    plug "$@"
}
told_time() {
    local took
    took=$(root 'systemctl stop story-monitor.service; awk "
        /^KERNEL.* add .*\/sd[a-z] / { match(\$0, /[0-9.]+/); from = substr(\$0, RSTART, RLENGTH) }
        /^UDEV.* add .*\/sd[a-z] / { match(\$0, /[0-9.]+/); print int((substr(\$0, RSTART, RLENGTH) - from) * 1000); exit }" /root/monitor')
    holds "MEASURED: ${took:-?} ms from the kernel's word to the decision, on this emulated machine"
}
