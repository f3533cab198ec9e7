#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The guides' own commands, exactly as they are printed: a fresh Debian becomes the evaluated configuration as the
# administrator's guide says, then bob works as the user's guide says. In blocks marked `console` a line with a prompt is a
# command: `#` root in alice's login, `alice$`, `bob$`, and `>` goes on with it. What stands below it must be among what it
# prints, in that order, `...` being anything. It must succeed; where `error:` or `virtwarden:` stands below, it must fail.
# usage: tests/stories/guide.sh [DEBIAN]       default: 13; needs target/debian/*virtwarden_*.deb
#        HOST=NAME: only the commands, on a host that is as the site has it    KEEP=1: leave the host up
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin guide "${1:-13}"

# A site that has what a guide's reader has: an archive of Debian's packages, a log server, a time server, an authority.
site() {
    archive
    "$testhost" put "$host" "$scratch/archive" /srv/archive
    for deb in target/debian/*virtwarden_*.deb; do "$testhost" put "$host" "$deb" /root/; done
    # shellcheck disable=SC2016 # for the host's shell
    root '
        rm -f /etc/apt/sources.list.d/*
        echo "deb [signed-by=/srv/archive/key.gpg] file:/srv/archive ./" > /etc/apt/sources.list
        ip netns add site; ip link add vw-here type veth peer name vw-site; ip link set vw-site netns site
        ip address add 192.0.2.1/30 dev vw-here; ip link set vw-here up
        ip netns exec site ip address add 192.0.2.2/30 dev vw-site
        ip netns exec site ip link set vw-site up; ip netns exec site ip link set lo up
        echo "192.0.2.2 ntp1.example.org log.example.org" >> /etc/hosts
        mkdir -p /srv/site; cd /srv/site
        printf "local stratum 3\nallow all\ncmdport 0\nbindcmdaddress /\npidfile /run/site-clock.pid\n" > clock.conf
        ip netns exec site chronyd -x -U -u root -f /srv/site/clock.conf
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=site -days 30 \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout log.key -out log.csr -subj /CN=log.example.org
        printf "subjectAltName=DNS:log.example.org\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false\n" > log.ext
        openssl x509 -req -in log.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile log.ext -out log.pem
        # It ends when nobody types to it any more.
        systemd-run -q --unit=site-log -p WorkingDirectory=/srv/site -p StandardOutput=file:/srv/site/arrived sh -c \
            "tail -f /dev/null | ip netns exec site openssl s_server -accept 6514 -cert log.pem -key log.key -quiet"
        install -o alice -g alice -m 644 ca.pem /home/alice/site-ca.pem
        # A container has no place where ports are isolated, and its KVM may lack what this CPU has.
        n=/sys/devices/virtual/net
        [ "$(stat -f -c %T /sys)" = sysfs ] ||
            { mount -o remount,rw /sys/devices; mount --bind $n $n; mount -o remount,bind,ro /sys/devices; }
        . /etc/virtwarden-testhost.conf
        mkdir -p /etc/virtwarden/templates; cd /etc/virtwarden/templates
        dpkg-deb --fsys-tarfile /root/virtwarden_*.deb | tar -xO ./usr/share/virtwarden/templates/desktop.xml |
            sed "s/type=.kvm./type=\"$VM_TYPE\"/; /<cpu mode=/d" > desktop.xml
        d=$(mktemp -d); echo disc > "$d/readme"; xorriso -as mkisofs -quiet -o /root/debian.iso "$d"
    ' > "$scratch/said" 2>&1 || shown "the site"
}

# An archive of the packages that the base has to hand, signed as Debian signs its own.
archive() {
    local key=$scratch/gpg packages=$scratch/archive
    mkdir -p "$packages"
    within "$testhost" exec "$host" -- sh -c 'cd /usr/local/lib/testhost/packages && tar -c rsyslog dictionary' |
        tar -x -C "$packages" --strip-components=1
    install -d -m 700 "$key"
    (
        cd "$packages"
        for deb in *.deb; do
            dpkg-deb -f "$deb"
            printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum < "$deb" | cut -d' ' -f1)"
        done > Packages
        printf 'Date: %s\nSHA256:\n %s %s Packages\n' "$(date -uR)" "$(sha256sum < Packages | cut -d' ' -f1)" \
            "$(stat -c %s Packages)" > Release
        gpg() { command gpg --homedir "$key" --batch --quiet "$@"; }
        gpg --passphrase '' --quick-generate-key site@example.org rsa3072 sign never
        gpg --export site@example.org > key.gpg
        gpg --clearsign --output InRelease Release
        gpgconf --homedir "$key" --kill all
        chmod 755 .
        chmod 644 ./*
    ) 2> /dev/null
}

# Each command in a login of its own, at home. sudo asks alice for her password. What a terminal shows is one stream: ssh
# would bring the lines of two in any order.
typed() { # PROMPT COMMAND
    local login=(within "$testhost" exec "$host" --user)
    # shellcheck disable=SC2016 # for the host's shells
    case $1 in
        '#') "${login[@]}" alice -- sh -c 'echo alice-password | sudo -S -p "" -H bash -lc "cd; exec 2>&1; $1"' sh "$2" ;;
        *) "${login[@]}" "${1%$}" -- bash -lc "exec 2>&1; $2" ;;
    esac < /dev/null
}

# Whether what was said has these lines, in this order.
answered() { # LINE...
    local said pattern
    exec 3< <(sed 's/[[:space:]]\+/ /g; s/ $//' "$scratch/said")
    for pattern in "$@"; do
        [[ $pattern != ... ]] || continue
        pattern=$(sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g; s/[[:space:]]\+/ /g; s/ $//' <<< "$pattern")
        while :; do
            IFS= read -r said <&3 || return 1
            # shellcheck disable=SC2053 # it is a pattern
            [[ $said != $pattern ]] || break
        done
    done
}

# One command of a guide, with what is printed below it.
step() { # PROMPT COMMAND LINE...
    local code=0 prompt=$1 command=$2 began=$SECONDS
    shift 2
    typed "$prompt" "$command" > "$scratch/said" 2>&1 || code=$?
    case ${1:-} in
        error:* | virtwarden:*) [[ $code != 0 && $code != 124 && $code != 255 ]] || shown "$prompt $command ($code)" ;;
        *) [[ $code = 0 ]] || shown "$prompt $command ($code)" ;;
    esac
    answered "$@" || shown "$prompt $command: it does not answer as printed"
    steps=$((steps + 1))
    [[ ! ${ANSWERS:-} ]] || cat "$scratch/said"
    holds "$prompt ${command%%$'\n'*} ($((SECONDS - began)) s)"
}

# All commands of a guide, in their order.
play() { # FILE
    local line prompt='' command='' block='' answers=()
    steps=0
    while IFS= read -r line <&4; do
        case $block:$line in
            :'```console') block=yes ;;
            :'## '* | :'**'[0-9]*) story "${line//[#*]/}" ;;
            :*) ;;
            yes:'```' | yes:'# '* | yes:'alice$ '* | yes:'bob$ '*)
                [[ -z $prompt ]] || step "$prompt" "$command" "${answers[@]}"
                prompt=${line%% *} command=${line#* } answers=()
                [[ $line != '```' ]] || block='' prompt=''
                ;;
            yes:'>'*)
                line=${line#>}
                command+=$'\n'${line# }
                ;;
            yes:*) answers+=("$line") ;;
        esac
    done 4< "$1"
    [[ $steps -gt 0 ]] || broken "there is no command in $1"
}

if [[ ! ${HOST:-} ]]; then
    "$testhost" up "$host" --debian "$debian"
    site
fi
play docs/administrators-guide.md
play docs/users-guide.md
story "What the site sees"
waits() { root "for try in \$(seq 60); do { $1; } && exit 0; sleep 1; done; exit 1"; }
works "what bob was denied arrived at the log server" waits 'grep -q "\"kind\":\"denial\".*\"bob\"" /srv/site/arrived'
works "the host follows the time server" waits 'chronyc -n -c sources | grep -q "^^,[*],192.0.2.2"'

story "all commands of the guides do what they say on Debian $debian"
