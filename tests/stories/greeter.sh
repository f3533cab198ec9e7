#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The access banner where people log in at a desktop: gdm's greeter on the screen of a whole machine, read off that
# screen. FTA_TAB.1: scenario TAB-1.
# usage: tests/stories/greeter.sh [DEBIAN [PART...]]     default: 13 and all of them; needs target/debian/*virtwarden_*.deb
#        HOST=NAME: on that machine, which stays up (`testhost up NAME --flavour greeter`)
#        PICTURE=FILE.png: leave there what the screen showed
#        PATIENCE=N: wait N times as long, where the emulator has to share its processors
# shellcheck disable=SC2317 # parts are called by their names
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin greeter "${1:-13}"
[[ $# -eq 0 ]] || shift
parts=(enabled shown gone)
[[ $# -eq 0 ]] || parts=("$@")
export VIRTWARDEN_TESTHOST_TIMEOUT=$((600 * ${PATIENCE:-1}))
text='TEST TEST Warning Message TEST TEST'

# Until the screen says this, and until it says it no more.
shows() { read_until "$1"; }
shows_no_more() { read_until -v "$1"; }
read_until() { # WHAT-GREP-LOOKS-FOR...
    local try
    for ((try = 0; try < 20 * ${PATIENCE:-1}; try++)); do
        "$testhost" screen-words "$host" > "$scratch/read"
        if grep -F "$@" "$scratch/read"; then return; fi
        sleep 5
    done
    cat "$scratch/read"
    return 1
}

play_enabled() {
    story "A machine with gdm on its screen"
    works "its greeter asks who logs in" shows alice
    works "the packages install" "$testhost" install "$host" target/debian/*virtwarden_*.deb
    works "enable" root "virtwarden enable --yes --admin alice"
}

play_shown() {
    story "TAB-1: the notice is shown before anybody logs in"
    works "alice sets it" as alice "virtwarden banner set '$text'"
    works "what is set is in force, in gdm, too" as alice "virtwarden setting list > /tmp/list; grep banner /tmp/list; ! grep banner /tmp/list | grep DIFFERS"
    works "the machine boots" "$testhost" reboot "$host"
    works "its greeter asks who logs in" shows alice
    "$testhost" press "$host" ret
    works "alice is chosen, and shown the notice before her password" shows "$text"
    [[ ! ${PICTURE:-} ]] || "$testhost" screen "$host" "$PICTURE"
}

play_gone() {
    story "... and no more once it is taken away"
    works "alice takes it away" as alice "virtwarden banner unset"
    works "the greeter starts anew" root "systemctl restart gdm3"
    works "it asks who logs in" shows bob
    "$testhost" press "$host" ret
    works "alice is chosen" shows_no_more bob
    fails "she is shown no notice" grep -F "$text" "$scratch/read"
}

tell() {
    play_each greeter "${parts[@]}"
    story "all true of the greeter on a machine with Debian $debian"
}

# On one line, so that a change of this file cannot reach a telling of it.
tell; exit
