# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Getting at a running host: commands, logins, files, packages, people.

# WAY_IN: the command prefix that runs the rest as the host's root, without a login; nothing of the outer environment
# goes along. A prefix and not a function, so that it can be exec'ed. The death signal, because nsenter stays outside as
# the command's parent and passes no signal on.
find_way_in() {
    local init
    init=$(host_init "$1") || return 1
    if is_machine "$1"; then
        WAY_IN=("$PARTS/enter-machine" "$init" "$SSH_KEY" "$(connection "$1" | paste -sd' ')")
        return
    fi
    WAY_IN=(nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd --
        /usr/bin/setpriv --pdeathsig KILL
        /usr/bin/env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 "TERM=${TERM:-dumb}"
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
}

enter() {
    local WAY_IN
    if ! find_way_in "$1"; then
        say "host '$1' does not run"
        return 125
    fi
    shift
    "${WAY_IN[@]}" "$@"
}

# One connection for each command; or, with VIRTWARDEN_TESTHOST_SHARE, one for all of each account: one login, which an
# emulated machine is not busy with again and again.
connection() { # HOST
    if [[ ! ${VIRTWARDEN_TESTHOST_SHARE:-} ]]; then
        echo -oControlPath=none
        return
    fi
    printf '%s\n' -oControlMaster=auto -oControlPersist=600 "-oControlPath=$(host_dir "$1")/ssh-%r-%p"
}

# A real login: sshd, PAM, logind, a session of its own. Each call is one (so no connection is shared).
# The client runs outside and borrows only the host's network, so that it needs no file in there.
login() {
    local name=$1 user=$2 tty=$3 init options=()
    shift 3
    init=$(running_init "$name")
    [[ $tty == no ]] || options=(-tt)
    mapfile -O "${#options[@]}" -t options < <(connection "$name")
    exec nsenter --target "$init" --net -- ssh -F /dev/null -i "$SSH_KEY" -o IdentitiesOnly=yes -o IdentityAgent=none \
        -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null \
        -o LogLevel=ERROR "${options[@]}" -l "$user" 127.0.0.1 "$@"
}

# The far shell takes one string apart again; this is what survives it unchanged.
quoted() {
    local words
    printf -v words ' %q' "$@"
    printf '%s' "${words# }"
}

exec_in() {
    local name='' user='' tty=no
    while [[ $# -gt 0 ]]; do
        case $1 in
            --user) user=${2:?--user needs a name} && shift 2 ;;
            --tty) tty=yes && shift ;;
            --) shift && break ;;
            -*) usage_error "exec has no option $1" ;;
            *) if [[ -z $name ]]; then name=$1 && shift; else break; fi ;;
        esac
    done
    [[ -n $name && $# -gt 0 ]] || usage_error "exec needs a name and a command"
    need_root
    running_init "$name" > /dev/null
    [[ -z $user ]] || login "$name" "$user" "$tty" "$(quoted "$@")"
    # A terminal of the host's own: the outer one has no name in there.
    [[ $tty == no ]] || set -- script --quiet --return --command "$(quoted "$@")" /dev/null
    find_way_in "$name"
    exec "${WAY_IN[@]}" "$@"
}

shell() {
    local name='' user=''
    while [[ $# -gt 0 ]]; do
        case $1 in
            --user) user=${2:?--user needs a name} && shift 2 ;;
            -*) usage_error "shell has no option $1" ;;
            *) name=$1 && shift ;;
        esac
    done
    [[ -n $name ]] || usage_error "shell needs a name"
    need_root
    running_init "$name" > /dev/null
    if [[ -n $user ]]; then login "$name" "$user" yes; else
        enter "$name" script --quiet --return --command 'bash --login' /dev/null
    fi
}

# Like cp -a SRC DST, through a pipe: a path below /proc/PID/root would follow the host's absolute links out of it.
# An existing file is replaced, not written into, so a running program can be exchanged.
# shellcheck disable=SC2016 # a script for sh: $1 destination, $2 name of what comes through the pipe
UNPACK='
    set -e; umask 022
    at=$(mktemp -d); trap "rm -rf \"\$at\"" EXIT
    tar -x -p --no-same-owner -f - -C "$at"
    cp -a --remove-destination "$at/$2" "$1"
'

put() {
    [[ $# -eq 3 ]] || usage_error "put needs NAME SRC DST"
    need_root
    running_init "$1" > /dev/null
    [[ -e $2 ]] || die "there is no $2"
    local source
    source=$(realpath "$2")
    tar -c -f - -C "$(dirname "$source")" -- "$(basename "$source")" |
        enter "$1" sh -c "$UNPACK" unpack "$3" "$(basename "$source")"
}

get() {
    [[ $# -eq 3 ]] || usage_error "get needs NAME SRC DST"
    need_root
    running_init "$1" > /dev/null
    local source
    source=$(enter "$1" realpath -e -- "$2") || die "host '$1' has no $2"
    enter "$1" tar -c -f - -C "$(dirname "$source")" -- "$(basename "$source")" |
        sh -c "$UNPACK" unpack "$3" "$(basename "$source")"
}

# apt resolves as it does for a person. The base has no package lists, so it does not try the network, which is not
# there: what the packages depend on must be in the base, or among the files.
install_debs() {
    [[ $# -ge 2 ]] || usage_error "install needs NAME FILE..."
    local name=$1 at file files=()
    shift
    need_root
    for file in "$@"; do [[ $file == *.deb && -r $file ]] || usage_error "'$file' is no readable .deb"; done
    running_init "$name" > /dev/null
    at=$(enter "$name" mktemp -d /var/cache/testhost-install.XXXXXX)
    # apt reads local packages as its own unprivileged user.
    enter "$name" chmod 755 "$at"
    for file in "$@"; do
        put "$name" "$file" "$at/"
        files+=("$at/$(basename "$(realpath "$file")")")
    done
    if ! enter "$name" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o Dpkg::Use-Pty=0 install -y --reinstall --allow-downgrades "${files[@]}"; then
        enter "$name" rm -r "$at"
        die "installation failed; a dependency that is not in the base can be added in testhost.d/packages.sh"
    fi
    enter "$name" rm -r "$at"
}

user() {
    local name='' person='' groups=''
    while [[ $# -gt 0 ]]; do
        case $1 in
            --groups) groups=${2?--groups needs a list} && shift 2 ;;
            -*) usage_error "user has no option $1" ;;
            *) if [[ -z $name ]]; then name=$1; else person=$1; fi && shift ;;
        esac
    done
    [[ -n $name && -n $person ]] || usage_error "user needs NAME PERSON"
    need_root
    running_init "$name" > /dev/null
    # The ssh key that everybody is let in with is in place already: see prepare-base.
    enter "$name" useradd --create-home --shell /bin/bash --groups "$groups" "$person"
    printf '%s:%s-password\n' "$person" "$person" | enter "$name" chpasswd
}
