# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The words that stories in shell are told with. Whoever sources this is at the top of the tree, and says `begin` first.

testhost=tests/testhost

# The host of a story that is told on a Debian, and the directory for what its parts tell each other.
# HOST=NAME: on that host, which stays up. KEEP=1: leave up the one that was made.
begin() { # STORY DEBIAN
    debian=$2
    host=${HOST:-$1-$debian-$$}
    if [[ ${HOST:-} ]]; then
        scratch=target/$1-$host
        mkdir -p "$scratch"
    else
        scratch=$(mktemp -d)
        trap finish EXIT
    fi
}
finish() {
    rm -rf "$scratch"
    [[ ${KEEP:-} ]] || "$testhost" down "$host"
}

story() { printf '\n%s\n' "$*"; }
holds() { printf '    %s\n' "$*"; }
broken() {
    printf '    BROKEN: %s\n' "$*" >&2
    exit 1
}

# Whatever hangs in there ends some day.
root() { within "$testhost" exec "$host" -- sh -c "$1"; }
as() { within "$testhost" exec "$host" --user "$1" -- sh -c "$2"; }
within() { timeout "$((900 * ${PATIENCE:-1}))" "$@"; }
shown() {
    cat "$scratch/said" >&2
    broken "$1"
}
works() { if "${@:2}" > "$scratch/said" 2>&1; then holds "$1"; else shown "$1"; fi; }
# Plays parts of a story of a machine by their names, `play_PART`.
play_each() { # FLAVOUR PART...
    local part began
    [[ ${HOST:-} ]] || "$testhost" up "$host" --debian "$debian" --flavour "$1"
    for part in "${@:2}"; do
        began=$SECONDS
        "play_$part"
        holds "($part: $((SECONDS - began)) s)"
    done
}
# What never ended (124), or never got in (255), has not been refused.
fails() {
    local code=0
    "${@:2}" > "$scratch/said" 2>&1 || code=$?
    case $code in
        0 | 124 | 255) shown "$1 ($code)" ;;
        *) holds "$1" ;;
    esac
}
says() { if grep -q -- "$2" "$scratch/said"; then holds "$1"; else shown "$1"; fi; }
same() { works "$1" diff "$scratch/$2" "$scratch/$3"; }

# Everything that `enable` could touch: /etc with owners, modes and contents (but for the profiles that libvirt gives its
# VMs, and the backups that the account tools write themselves), overrides, programs, devices, units, sockets, state but
# for the trail, the registry and what was set.
picture() {
    # shellcheck disable=SC2016 # for the host's shell
    root '
        cd /etc
        find . ! -name "*-" ! -name .pwd.lock ! -path "./apparmor.d/libvirt/libvirt-*-*" -printf "%y %m %U %G %p %l\n" | sort
        find . /var/lib/pam -type f ! -name "*-" ! -path "./apparmor.d/libvirt/libvirt-*-*" -exec sha256sum {} + | sort -k2
        dpkg-statoverride --list | sort
        stat -c "%n %a %u %g" /usr/bin/qemu-system-* /usr/sbin/libvirtd /dev/kvm
        getfacl -cp /dev/kvm
        systemctl list-unit-files --no-legend | grep -vE "virtwarden|[.]scope " | sort
        systemctl list-units --all --no-legend --plain "*virt*.socket" "virtwarden*" | awk "{print \$1, \$3}" | sort
        stat -c "%n %a %u %g" /run/libvirt/*sock*
        ls -A /var/lib/virtwarden /run/virtwarden/upstream 2> /dev/null | grep -vE "^(trail|registry|settings|networks|sharing|media|lockout|former-policies|policy-trial)" || true
        cat /var/lib/systemd/deb-systemd-helper-enabled/*virtwarden* 2> /dev/null || true
    ' > "$scratch/$1"
}
