# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The machine's seat, what is plugged in, and what is looked at again and again.
# shellcheck disable=SC2154,SC2016 # set by whoever sources this; scripts for the host's shells

HELPER=/usr/libexec/spice-client-glib-usb-acl-helper

# bob's shell at the seat does what it finds in a pipe: what only somebody at the machine may do is done there.
# shellcheck disable=SC2016 # scripts for the host's shells
seat_for_bob() {
    root 'set -e
        install -d -m 755 /etc/systemd/system/getty@tty1.service.d
        printf "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin bob --noclear %%I linux\n" \
            > /etc/systemd/system/getty@tty1.service.d/seat.conf
        cat > /home/bob/.profile << "PROFILE"
if [ "$(tty)" = /dev/tty1 ]; then
    rm -f ~/wish ~/said; mkfifo ~/wish
    while :; do sh -c "$(cat ~/wish)" > ~/said.new 2>&1; echo "exit $?" >> ~/said.new; mv ~/said.new ~/said; done
fi
PROFILE
        systemctl daemon-reload && systemctl restart getty@tty1.service
        for try in $(seq 90); do test -p /home/bob/wish && exit 0; sleep 1; done; exit 1'
}

# What bob does at the seat.
seat() {
    root "rm -f /home/bob/said; printf '%s' '$1' > /home/bob/wish
        for try in \$(seq 300); do test -e /home/bob/said && break; sleep 0.2; done
        cat /home/bob/said; tail -n 1 /home/bob/said | grep -qx 'exit 0'"
}

plug() { "$testhost" plug "$host" "$@"; }
unplug() { "$testhost" unplug "$host" "$1"; }

# The disk with a serial number, as the host sees it. Fails if it sees none.
disk_of() { root "lsblk -dno NAME,SERIAL | awk -v s='$1' '\$2 == s { print \"/dev/\" \$1; found = 1 } END { exit !found }'"; }
appears() { root "for try in \$(seq 60); do lsblk -dno SERIAL | grep -qx '$1' && udevadm settle && exit 0; sleep 0.5; done; exit 1"; }
own_disk() { root "findmnt --noheadings --output SOURCE /"; }
property() { root "udevadm info --query=property --name=$1 | grep -qx '$2'"; }
is_closed() { property "$1" VIRTWARDEN_HOST_MEDIA=closed && property "$1" UDISKS_IGNORE=1; }
level() { as alice "virtwarden setting set host-media level=$1 --reason story"; }
host_is_as_set() {
    as alice "for try in \$(seq 60); do virtwarden setting show host-media | grep -q DIFFERS || exit 0; sleep 0.5; done; exit 1"
}

# Waits until the USB device with an interface of this class (at this port, if it is told) has this driver, or none.
driver_of() { # CLASS DRIVER [PORT]
    root "for try in \$(seq 40); do
            for interface in /sys/bus/usb/devices/${3:-*}:*; do
                test \"\$(cat \$interface/bInterfaceClass)\" = $1 || continue
                driver=\$(basename \"\$(readlink \$interface/driver)\")
                test \"\${driver:-none}\" = $2 && exit 0
            done
            sleep 0.5
        done; exit 1"
}
record() { as alice "virtwarden audit export | grep '$1' | grep -q '$2'"; }

before_anything() {
    works "a stick is plugged in" plug one --serial ONE
    works "the host sees it" appears ONE
    works "bob mounts it" seat "udisksctl mount -b $(disk_of ONE)"
    works "... and reads it" seat 'cat /media/bob/one/readme'
    works "bob unmounts it" seat "udisksctl unmount -b $(disk_of ONE)"
    works "the SPICE clients' helper is setuid root" root "test -u $HELPER"
}

as_before() {
    picture now
    same "the host is as it was, byte for byte" untouched now
    works "the helper is setuid root again" root "test -u $HELPER"
    works "the stick is the host's" appears ONE
    works "bob mounts it" seat "udisksctl mount -b $(disk_of ONE)"
    works "... and reads it" seat 'cat /media/bob/one/readme'
}
