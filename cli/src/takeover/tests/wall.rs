// SPDX-License-Identifier: Apache-2.0
//! Stories about the rules that keep guests from the host's services.

use super::fake::Fake;
use super::steps;
use crate::takeover::disable::give_back;
use crate::takeover::enable::{Enabled, enable};
use crate::takeover::examine;
use crate::takeover::finding::{Finding, Severity};
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

/// What doctor says of them on a host that is taken over.
fn told(fake: &Fake) -> Vec<Finding> {
    let host = fake.host();
    let findings = examine::everything(&host, &steps(&host)).unwrap();
    findings.into_iter().filter(|finding| finding.what.contains("guests")).collect()
}

#[test]
fn doctor_tells_of_rules_that_somebody_flushed_and_how_to_put_them_back() {
    let fake = Fake::new();
    fake.answer(LOAD, "");
    fake.answer("nft list tables", "table ip filter\n");
    assert!(matches!(enable(&fake.host(), &steps(&fake.host())).unwrap(), Enabled::Now));
    assert!(told(&fake).is_empty(), "no network needs them");

    fake.write("/sys/class/net/vwn-shore", "", 0o644);
    let flushed = told(&fake);
    assert_eq!((flushed.len(), flushed[0].severity), (1, Severity::Problem), "{flushed:?}");
    assert!(flushed[0].what.contains("flushed") && flushed[0].remedy.contains(LOAD), "{flushed:?}");

    fake.answer("nft list tables", "table ip filter\ntable inet virtwarden\n");
    let there = told(&fake);
    assert_eq!((there.len(), there[0].severity), (1, Severity::Good), "{there:?}");
}
