# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# No driver of the host for USB storage, and never a keyboard less.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

play_drivers() {
    story "No driver for USB storage, and nobody confirms it"
    works "a keyboard is plugged in" plug keys --kind keyboard
    works "it works" driver_of 03 usbhid
    works "alice wants no driver" level no-driver
    says "she is told to confirm" "setting confirm host-media"
    works "the stick has none" driver_of 08 none
    fails "the host sees no disk" root "lsblk -dno SERIAL | grep -qx ONE"
    works "the keyboard works" driver_of 03 usbhid
    works "another keyboard works, too" plug keys2 --kind keyboard
    works "... at once" two_keyboards
    works "after a minute the driver is back" root 'for try in $(seq 90); do lsblk -dno SERIAL | grep -qx ONE && exit 0; sleep 1; done; exit 1'
    works "that is on record" record '"setting taken back"' 'nobody confirmed it'
    works "the host is as set" host_is_as_set
    works "... at the level before" as alice "virtwarden setting show host-media | grep -q no-automount"

    story "No driver for USB storage, confirmed"
    works "alice wants no driver" level no-driver
    fails "bob may not confirm it" as bob "virtwarden setting confirm host-media"
    works "alice confirms it" as alice "virtwarden setting confirm host-media"
    works "policyd dies and comes back" root 'systemctl kill -s KILL virtwarden-policyd; for try in $(seq 120); do sleep 0.5; systemctl is-active virtwarden-policyd && exit 0; done; exit 1'
    works "the stick has no driver" driver_of 08 none
    works "it is pulled out" unplug one
    works "... and plugged in again" plug one --serial ONE
    works "it has none" root 'sleep 5; ! lsblk -dno SERIAL | grep -qx ONE'
    works "another stick has none" plug two --serial TWO
    works "..." root 'sleep 5; ! lsblk -dno SERIAL | grep -qx TWO'
    works "the host is as set" host_is_as_set
    works "a keyboard that is plugged in again works" unplug keys
    works "..." plug keys --kind keyboard
    works "..." driver_of 03 usbhid

    story "... over a boot"
    works "it boots" "$testhost" reboot "$host"
    works "keyboards work" two_keyboards
    works "sticks have no driver" root '! lsblk -dno SERIAL | grep -qx -e ONE -e TWO'
    works "the host is as set" host_is_as_set

    story "... and back"
    works "alice goes back to the default" as alice "virtwarden setting unset host-media"
    works "the stick has its driver" driver_of 08 usb-storage
    works "the host sees it" appears ONE
    closed_to_the_host ONE
    works "sticks and keyboards are pulled out" unplug two
    works "..." unplug keys
    works "..." unplug keys2
}

# With names that udev gives, which is busy while the machine boots.
two_keyboards() { root 'for try in $(seq 120); do test "$(ls -d /dev/input/by-path/*usb-*kbd | wc -l)" -ge 2 && exit 0; sleep 0.5; done; exit 1'; }
