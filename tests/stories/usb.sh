#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story of removable media on a whole machine: sticks, twins of sticks, a disc drive and a keyboard are plugged in
# and pulled out, at a host with bob at its seat, and at VMs. FPT_RDM_EXT.1: scenarios RDM-1 and RDM-2, as far as they
# need a device that can be pulled; FDP_PPR_EXT.1: PPR-1, PPR-2 and PPR-4.
# usage: tests/stories/usb.sh [DEBIAN [CHAPTER...]]     default: 13 and all of them; needs target/debian/*virtwarden_*.deb
#        HOST=NAME: on that machine, which stays up; CHAPTERs `before` and `after` are what the others lie between
#        PATIENCE=N: wait N times as long, where the emulator has to share its processors
# shellcheck disable=SC2317 # parts are called by their names
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin usb "${1:-13}"
[[ $# -eq 0 ]] || shift
chapters=(before host drivers vms twins own after)
[[ $# -eq 0 ]] || chapters=("$@")
export VIRTWARDEN_TESTHOST_TIMEOUT=$((600 * ${PATIENCE:-1}))
# Each person logs in once.
export VIRTWARDEN_TESTHOST_SHARE=1
for chapter in scene host drivers vms moves twins own; do
    # shellcheck source=/dev/null
    source "tests/stories/usb/$chapter.sh"
done

play_before() {
    story "A machine with bob at its seat, before anything is installed"
    works "bob sits at the seat" seat_for_bob
    before_anything
    picture untouched
    works "the package installs" "$testhost" install "$host" target/debian/*virtwarden_*.deb
    works "enable" root "virtwarden enable --yes --admin alice"
}

play_after() {
    story "Everything is given back"
    works "disable" root "virtwarden disable --yes"
    works "the package goes" root "DEBIAN_FRONTEND=noninteractive apt-get -qq purge virtwarden libpam-virtwarden"
    as_before
}

tell() {
    play_each machine "${chapters[@]}"
    story "all true of removable media on a machine with Debian $debian"
}

# On one line, so that a change of this file cannot reach a telling of it.
tell; exit
