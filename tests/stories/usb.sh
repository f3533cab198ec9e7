#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story of removable media on a whole machine: sticks, twins of sticks, a disc drive and a keyboard are plugged in
# and pulled out, at a host with bob at its seat, and at VMs. FPT_RDM_EXT.1: scenarios RDM-1 and RDM-2, as far as they
# need a device that can be pulled.
# usage: tests/stories/usb.sh [DEBIAN]       default: 13; needs target/debian/*virtwarden_*.deb
#        KEEP=1: leave the machine up;  CHAPTERS='host drivers': play only these
set -euo pipefail
cd "$(dirname "$0")/../.."

debian=${1:-13}
host=usb-$debian-$$
scratch=$(mktemp -d)
testhost=tests/testhost

finish() {
    rm -rf "$scratch"
    [[ ${KEEP:-} ]] || "$testhost" down "$host"
}
trap finish EXIT

# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
for chapter in scene host drivers vms; do
    # shellcheck source=/dev/null
    source "tests/stories/usb/$chapter.sh"
done

story "A machine with bob at its seat, before anything is installed"
"$testhost" up "$host" --debian "$debian" --machine
works "bob sits at the seat" seat_for_bob
before_anything
picture before
works "the package installs" "$testhost" install "$host" target/debian/*virtwarden_*.deb
works "enable" root "virtwarden enable --yes --admin alice"

for chapter in ${CHAPTERS:-host drivers vms}; do "play_$chapter"; done

story "Everything is given back"
works "disable" root "virtwarden disable --yes"
works "the package goes" root "DEBIAN_FRONTEND=noninteractive apt-get -qq purge virtwarden libpam-virtwarden"
as_before

story "all true of removable media on a machine with Debian $debian"
