// SPDX-License-Identifier: Apache-2.0
//! Stories about the rules that keep guests from the host's services.

use super::fake::Fake;
use super::steps;
use crate::takeover::disable::give_back;
use crate::takeover::enable::{Enabled, enable};
use crate::takeover::journal::Journal;

const LOAD: &str = "nft -f /usr/share/virtwarden/guests.nft";
const DELETE: &str = "nft delete table inet virtwarden";

/// Which of the two were done by a takeover and a giving back.
fn done(fake: &Fake) -> Vec<String> {
    let host = fake.host();
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Now));
    give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
    fake.commands().into_iter().filter(|command| [LOAD, DELETE].contains(&command.as_str())).collect()
}

#[test]
fn the_rules_go_with_the_takeover_and_come_with_it_where_a_network_needs_them() {
    assert!(done(&Fake::new()).is_empty(), "there is neither a network nor a rule");

    let fake = Fake::new();
    fake.write("/sys/class/net/vwn-shore", "", 0o644);
    fake.answer(LOAD, "");
    fake.answer("nft list tables", "table ip filter\ntable inet virtwarden\n");
    fake.answer(DELETE, "");
    assert_eq!(done(&fake), [LOAD, DELETE]);
}
