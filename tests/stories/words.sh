# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The words that stories in shell are told with. Whoever sources this sets: host, scratch (a directory), testhost.
# shellcheck disable=SC2154 # they are set there

story() { printf '\n%s\n' "$*"; }
holds() { printf '    %s\n' "$*"; }
broken() {
    printf '    BROKEN: %s\n' "$*" >&2
    exit 1
}

root() { "$testhost" exec "$host" -- sh -c "$1"; }
as() { "$testhost" exec "$host" --user "$1" -- sh -c "$2"; }
shown() {
    cat "$scratch/said" >&2
    broken "$1"
}
works() { if "${@:2}" > "$scratch/said" 2>&1; then holds "$1"; else shown "$1"; fi; }
fails() { if "${@:2}" > "$scratch/said" 2>&1; then shown "$1"; else holds "$1"; fi; }
says() { if grep -q -- "$2" "$scratch/said"; then holds "$1"; else shown "$1"; fi; }
same() { if diff "$scratch/$2" "$scratch/$3" > "$scratch/said"; then holds "$1"; else shown "$1"; fi; }

# Everything that `enable` could touch: /etc with owners, modes and contents (but for the backups that the account
# tools write themselves), overrides, programs, devices, units, sockets, state but for the trail, the registry and what
# was set.
picture() {
    # shellcheck disable=SC2016 # for the host's shell
    root '
        cd /etc
        find . ! -name "*-" ! -name .pwd.lock -printf "%y %m %U %G %p %l\n" | sort
        find . /var/lib/pam -type f ! -name "*-" -exec sha256sum {} + | sort -k2
        dpkg-statoverride --list | sort
        stat -c "%n %a %u %g" /usr/bin/qemu-system-* /usr/sbin/libvirtd /dev/kvm
        getfacl -cp /dev/kvm
        systemctl list-unit-files --no-legend | grep -v virtwarden | sort
        systemctl list-units --all --no-legend --plain "*virt*.socket" "virtwarden*" | awk "{print \$1, \$3}" | sort
        stat -c "%n %a %u %g" /run/libvirt/*sock*
        ls -A /var/lib/virtwarden /run/virtwarden/upstream 2> /dev/null | grep -vE "^(trail|registry|settings|networks|sharing|media|lockout)" || true
        cat /var/lib/systemd/deb-systemd-helper-enabled/*virtwarden* 2> /dev/null || true
    ' > "$scratch/$1"
}
