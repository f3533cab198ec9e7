// SPDX-License-Identifier: Apache-2.0
//! Large streams pass whole: volumes up and down, with holes and without.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, check};

/// Makes a volume, fills it, fetches it again and compares; `$S` says whether holes pass as holes.
const THERE_AND_BACK: &str = "set -e; trap 'rm -f /tmp/there /tmp/back' EXIT
virsh vol-create-as store big.img 64M
timeout 60 virsh vol-upload --pool store big.img /tmp/there $S
timeout 60 virsh vol-download --pool store big.img /tmp/back $S
cmp /tmp/there /tmp/back; virsh vol-delete --pool store big.img";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_large_volume_comes_back_as_it_went() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let filled = "head -c 64M /dev/urandom > /tmp/there; S=";
    check("filled", &alice(&host, &format!("{filled}; {THERE_AND_BACK}")))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn holes_stay_holes() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let holes = "truncate -s 64M /tmp/there; for at in 1 17 40; do dd if=/dev/urandom of=/tmp/there bs=1M seek=$at count=2 conv=notrunc status=none; done; S=--sparse";
    check("holes", &alice(&host, &format!("{holes}; {THERE_AND_BACK}")))
}
